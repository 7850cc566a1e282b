using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Granary.KafkaClients.Groups;
using Granary.KafkaClients.Http;
using Granary.KafkaClients.Live;
using Granary.Support;

namespace Granary.KafkaClients.Samples;

/// <summary>
/// The two samples on a real cluster: a service that is an Orleans client (LearningEvents: publishes, reads by assignment and as a group's member), and one
/// that is a silo of its own, whose grains get the records (LearnerProgress).
/// </summary>
public sealed partial class SampleTests(ITestOutputHelper output)
{
    private const string Topic = "learning-events";
    private const string Group = "learner-progress";

    [Fact]
    public async Task SiloOfAService_IsGivenRecordsInOrder_CountsEachOnce_AndLeavesGranaryAlone()
    {
        var settings = new Dictionary<string, string> { ["Granary__ConsumerGroups__SessionTimeout"] = "00:00:04" };
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Silos = 2, Settings = settings });
        using var http = new HttpApi(cluster[0].HttpUrl);
        await using var timeline = await EventStream.OpenAsync(cluster[0].HttpUrl);
        await using var progress = StartProgress(cluster);
        await using var events = SampleProgram.Start(
            "LearningEvents", cluster.Postgres.ConnectionString, ("ClusterId", ClusterProcess.ClusterId), ("EventsPerSecond", "100"));
        await events.PrintsAsync("all three readers read", lines => Readers(lines).IsSupersetOf(["from-start", "from-tail", "member"]));
        await progress.PrintsAsync("grains get events", lines => Events(lines) >= 100);
        foreach (var sample in new[] { "LearningEvents", "LearnerProgress" })
            await Eventually.IsTrueAsync(async () => await SampleProgram.AskHealthAsync(sample) == 0, () => $"{sample} does not say that it is well", seconds: 60);

        // One of Granary's silos leaves in order.
        Assert.Equal(0, await cluster[1].StopAsync());
        await GoesOnAsync(progress, "a silo left");

        // A silo that joins is not held up by the one that is no member, and gets its share; the other gets nothing.
        await cluster.StartAsync(1);
        await Eventually.IsTrueAsync(async () => await PartitionsAsync(http) is [3, 3], () => "the topic's partitions are not three on each of Granary's silos", seconds: 120);

        progress.Kill();
        await using var again = StartProgress(cluster);
        await again.PrintsAsync("grains get events after a crash", lines => Events(lines) > Events(progress.Lines) + 100);
        var shares = await PartitionsAsync(http);
        Assert.Equal([3, 3], shares);

        // One of Granary's hangs until it is given up: the service's silo is one of those who find out and go on. It is killed then.
        Assert.False(timeline.Tells("silo-suspected"));
        cluster[1].Hang();
        await GoesOnAsync(again, "a silo hung", progress);
        await Eventually.IsTrueAsync(async () => await PartitionsAsync(http) is [6], () => "the topic's partitions are not all on the silo that is left", seconds: 120);

        cluster[1].Kill();

        await cluster.Postgres.RestartAsync();
        await GoesOnAsync(again, "PostgreSQL was restarted", progress);

        Assert.True(await events.StopAsync() == 0, events.LastLines);
        await Eventually.IsTrueAsync(async () => (await PositionsAsync(http)).All(position => position.Lag == 0), () => "not all is committed", seconds: 120);
        var positions = await PositionsAsync(http);
        Assert.Equal(6, positions.Count);
        Assert.Equal(positions.Sum(position => position.Committed), Events([.. progress.Lines, .. again.Lines]));
        InOrder([.. progress.Lines, .. again.Lines]);
        Assert.Equal(0, await again.StopAsync());
        await Eventually.IsTrueAsync(async () => (await GroupAsync(http)).GetProperty("members").GetArrayLength() == 0, () => "the grains' member did not leave");

        output.WriteLine(timeline.Summary());
        Assert.DoesNotContain(timeline.Events, one => one.Name == "timeline" && one.Text("kind") is "silo-suspected" or "silo-dead" && one.Text("silo") is not "silo-1");
        Assert.Empty(cluster.UnaskedEnds());
    }

    /// <summary>The grains count as many events more as the service publishes in a second.</summary>
    private static async Task GoesOnAsync(SampleProgram progress, string after, params SampleProgram[] former)
    {
        var counted = Events([.. former.SelectMany(one => one.Lines), .. progress.Lines]);
        await progress.PrintsAsync($"grains get events after {after}", lines => Events([.. former.SelectMany(one => one.Lines), .. lines]) > counted + 100);
    }

    private static SampleProgram StartProgress(ClusterProcess cluster) => SampleProgram.Start(
        "LearnerProgress",
        cluster.Postgres.ConnectionString,
        ("ClusterId", ClusterProcess.ClusterId),
        ("SiloPort", FreePorts.Next().ToString(CultureInfo.InvariantCulture)));

    private static HashSet<string> Readers(IReadOnlyCollection<string> lines) => [.. lines.Where(line => line.Contains(" @", StringComparison.Ordinal)).Select(line => line.Split(' ')[0])];

    /// <summary>The events that all learners together have counted.</summary>
    private static int Events(IReadOnlyCollection<string> lines) => Learners(lines).GroupBy(line => line.Learner).Sum(learner => learner.Last().Events);

    /// <summary>A learner's events are counted up, by offsets that only grow.</summary>
    private static void InOrder(IReadOnlyCollection<string> lines)
    {
        foreach (var learner in Learners(lines).GroupBy(line => line.Learner))
        {
            foreach (var (before, after) in learner.Zip(learner.Skip(1)))
                Assert.True(after.Events > before.Events && after.Offset > before.Offset, $"{before} came before {after}");
        }
    }

    private static List<(string Learner, int Events, long Offset)> Learners(IReadOnlyCollection<string> lines) =>
    [
        .. lines.Select(line => LearnerLine().Match(line)).Where(match => match.Success).Select(match => (
            match.Groups["learner"].Value,
            int.Parse(match.Groups["events"].Value, CultureInfo.InvariantCulture),
            long.Parse(match.Groups["offset"].Value, CultureInfo.InvariantCulture))),
    ];

    /// <summary>How many of the topic's partitions each silo that Granary knows of has.</summary>
    private static async Task<int[]> PartitionsAsync(HttpApi http)
    {
        var (status, body) = await http.GetAsync("/cluster");
        Assert.Equal(HttpStatusCode.OK, status);
        return [.. body.GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("partitions").EnumerateArray().Count(one => one.GetProperty("topic").GetString() == Topic))];
    }

    private static async Task<List<(long Committed, long? Lag)>> PositionsAsync(HttpApi http) =>
    [
        .. (await GroupAsync(http)).GetProperty("offsets").EnumerateArray().Select(position =>
            (position.GetProperty("committedOffset").GetInt64(), position.GetProperty("lag") is { ValueKind: JsonValueKind.Number } lag ? lag.GetInt64() : (long?)null)),
    ];

    private static async Task<JsonElement> GroupAsync(HttpApi http)
    {
        var (status, body) = await http.GetAsync($"/groups/{Group}");
        Assert.Equal(HttpStatusCode.OK, status);
        return body;
    }

    [GeneratedRegex(@"^(?<learner>learner-\d+): (?<events>\d+) events, .* @(?<offset>\d+)$")]
    private static partial Regex LearnerLine();
}

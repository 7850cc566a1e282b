using System.Diagnostics;
using System.Globalization;
using System.Net;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.Support;

namespace Granary.Bench;

/// <summary>
/// How long a partition acknowledges nothing when its silo dies, hangs, stops or is joined by another, and when PostgreSQL restarts: of the
/// partitions that the silo led, and of the others.
/// </summary>
internal static class Failover
{
    private const int Silos = 3;
    private const int Victim = 1;

    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(20);

    /// <summary>Of a thousand partitions: 4,000 produces a second. Fifty thousand, as the other pace makes them, are more than two cores take.</summary>
    private static readonly TimeSpan s_slowPace = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_calm = TimeSpan.FromSeconds(3);

    /// <summary>With the calm: longer than silos take to know a new one well enough to judge its silence at once (DeathVotes.Acquaintance, 5 s).</summary>
    private static readonly TimeSpan s_settling = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(8);

    /// <summary>Where the silos' output goes, a file each, each line with its time; null: nowhere.</summary>
    private static readonly string? s_logs = Environment.GetEnvironmentVariable("GRANARY_BENCH_LOGS");

    private static int Runs => int.TryParse(Environment.GetEnvironmentVariable("GRANARY_ROUNDS"), out var asked) ? asked : 5;

    public static async Task RunAsync(ResultTable table)
    {
        await using (var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Silos = Silos, LogFolder = s_logs }))
        {
            await using var client = await StartLoadAsync(cluster, "failover", 60, s_pace);
            for (var run = 0; run < Runs; run++)
            {
                await MeasureAsync(table, client, cluster, "kill -9", "300 / 1,000", () => Now(cluster[Victim].Kill), () => cluster.StartAsync(Victim));
                await MeasureAsync(table, client, cluster, "SIGSTOP", "1,500", () => Now(cluster[Victim].Hang), () => ResumeAsync(cluster), settles: true);
                await MeasureAsync(table, client, cluster, "graceful stop", "100", () => cluster[Victim].StopAsync(), () => Task.CompletedTask, restores: false);
                await MeasureAsync(table, client, cluster, "joining silo", "100", () => cluster.StartAsync(Victim), () => Task.CompletedTask, ofAll: true);
                await MeasureAsync(table, client, cluster, "PostgreSQL restart", "its restart + 500", () => RestartPostgresAsync(table, cluster), () => Task.CompletedTask, ofAll: true);
            }
        }

        await using (var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Silos = Silos, LogFolder = s_logs }))
        {
            await using var client = await StartLoadAsync(cluster, "thousand", 1_000, s_slowPace);
            await MeasureAsync(table, client, cluster, "kill -9 of 1,000 partitions", "1,500 for the last", () => Now(cluster[Victim].Kill), () => cluster.StartAsync(Victim));
        }
    }

    private static async Task<FailoverClient> StartLoadAsync(ClusterProcess cluster, string topic, int partitions, TimeSpan pace)
    {
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = cluster.KafkaBootstrap }).Build())
            await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = 1 }]);
        var client = new FailoverClient(topic, partitions, cluster.KafkaBootstrap, pace);
        client.Start();

        // What a server does in its first seconds is the runtime's compiler's work: it is not measured.
        await Task.Delay(TimeSpan.FromSeconds(10));
        return client;
    }

    /// <param name="ofAll">The figure is that of all partitions: none is lost, or all are.</param>
    /// <param name="settles">Whether the silo is to have been a member for a while first.</param>
    /// <param name="restores">Whether the silo is back afterwards, and leads its share again.</param>
    private static async Task MeasureAsync(
        ResultTable table, FailoverClient client, ClusterProcess cluster, string name, string goal, Func<Task> strike, Func<Task> heal, bool ofAll = false, bool restores = true,
        bool settles = false)
    {
        var victim = IPEndPoint.Parse(cluster[Victim].KafkaBootstrap);
        if (settles)
            await Task.Delay(s_settling);
        await AwaitCalmAsync(client);
        var lost = client.Leaders.Select(leader => ofAll || victim.Equals(leader)).ToArray();
        client.Reset();
        var struckAt = Stopwatch.GetTimestamp();
        await strike();
        await AwaitCalmAsync(client);
        var gaps = client.GapsInMilliseconds();
        TellLongest(client, name, gaps, struckAt);
        Report(table, $"{name}: {(ofAll ? "all partitions" : $"the silo's {lost.Count(one => one)} partitions").Replace("  ", " ")}", goal, [.. gaps.Where((_, partition) => lost[partition])]);
        if (!ofAll)
            Report(table, $"{name}: the other partitions", "100", [.. gaps.Where((_, partition) => !lost[partition])]);
        await heal();
        if (restores)
            await AwaitLeadAsync(client, victim);
    }

    /// <summary>Where in the course of things the longest gap lay, and in the logs (GRANARY_BENCH_LOGS).</summary>
    private static void TellLongest(FailoverClient client, string name, double[] gaps, long struckAt)
    {
        var worst = Array.IndexOf(gaps, gaps.Max());
        var after = Stopwatch.GetElapsedTime(struckAt, client.LongestEndedAt(worst));
        var ended = DateTime.UtcNow - Stopwatch.GetElapsedTime(client.LongestEndedAt(worst));
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name}: the longest, {gaps[worst]:0} ms of partition {worst}, ended {after.TotalMilliseconds:0} ms after the strike, at {ended:HH:mm:ss.fff}"));
    }

    private static void Report(ResultTable table, string name, string goal, double[] gaps)
    {
        // The number of partitions varies between runs: rows are named without it.
        name = System.Text.RegularExpressions.Regex.Replace(name, @"the silo's \d+ ", "the silo's ");
        if (gaps.Length == 0)
            return;
        Array.Sort(gaps);
        table.Add($"{name}, median", "ms", gaps[gaps.Length / 2], goal);
        table.Add($"{name}, longest", "ms", gaps[^1], goal);
    }

    /// <summary>Until every partition was acknowledged lately, and for a while then.</summary>
    private static async Task AwaitCalmAsync(FailoverClient client)
    {
        var clock = Stopwatch.StartNew();
        await Task.Delay(s_calm);
        while (client.OpenGapInMilliseconds() > 500)
        {
            if (clock.Elapsed > s_patience)
                throw new InvalidOperationException($"a partition acknowledges nothing for {client.OpenGapInMilliseconds():0} ms");
            await Task.Delay(20);
        }
    }

    private static async Task AwaitLeadAsync(FailoverClient client, IPEndPoint silo)
    {
        var clock = Stopwatch.StartNew();
        while (client.Leaders.Count(silo.Equals) < client.Leaders.Count / Silos / 2)
        {
            if (clock.Elapsed > s_patience)
                throw new InvalidOperationException($"{silo} leads {client.Leaders.Count(silo.Equals)} of {client.Leaders.Count} partitions a minute after it came back");
            await Task.Delay(50);
        }
    }

    /// <summary>It was declared dead meanwhile and ends; where it was not, it is ended.</summary>
    private static async Task ResumeAsync(ClusterProcess cluster)
    {
        cluster[Victim].Resume();
        var clock = Stopwatch.StartNew();
        while (cluster[Victim].IsRunning && clock.Elapsed < s_hang)
            await Task.Delay(20);
        if (cluster[Victim].IsRunning)
        {
            Console.Error.WriteLine("  the silo that hung was not declared dead, or has not heard of it");
            cluster[Victim].Kill();
        }

        await cluster.StartAsync(Victim);
    }

    private static async Task RestartPostgresAsync(ResultTable table, ClusterProcess cluster)
    {
        var clock = Stopwatch.StartNew();
        await cluster.Postgres.RestartAsync();
        table.Add("PostgreSQL restart: its own time", "ms", clock.Elapsed.TotalMilliseconds);
    }

    private static Task Now(Action strike)
    {
        strike();
        return Task.CompletedTask;
    }
}

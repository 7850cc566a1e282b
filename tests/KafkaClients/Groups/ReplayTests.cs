using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Granary.KafkaClients.Confluent;
using Granary.Support;

namespace Granary.KafkaClients.Groups;

/// <summary>What a consumer reads again after its group was reset, against what the plan said.</summary>
public sealed partial class ReplayTests
{
    private const int Records = 200;
    private const int Target = 57;
    private const string Group = "readers";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AConsumer_ReadsAgainExactlyTheRecordsAndBytesOfThePlan()
    {
        // A silo of its own: its bytes read are those of this consumer.
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions
        {
            Settings = new Dictionary<string, string> { ["Granary__Groups__InitialRebalanceDelay"] = "00:00:00.1" },
        });
        using var http = new HttpClient { BaseAddress = new Uri(silo.HttpUrl) };
        var topic = await FillAsync(silo);
        using (var first = new GroupConsumer(silo.KafkaBootstrap, Group, topic))
        {
            await Eventually.IsTrueAsync(() => first.Read.Count == Records, () => $"{first.Read.Count} records");
            var early = await PostAsync(http, $$"""{"to":{"offset":{{Target}}},"topics":["{{topic}}"]}""", HttpStatusCode.OK);
            Assert.Equal(1, early.GetProperty("activeMembers").GetInt32());
            var refused = await PostAsync(http, $$"""{"planId":"{{early.GetProperty("planId").GetGuid()}}"}""", HttpStatusCode.Conflict);
            Assert.Equal(("NON_EMPTY_GROUP", "evenIfActive"), (refused.GetProperty("kafkaError").GetString(), refused.GetProperty("field").GetString()));
        }

        var plan = await PostAsync(http, $$"""{"to":{"offset":{{Target}}},"topics":["{{topic}}"]}""", HttpStatusCode.OK);
        Assert.Equal((0, Records - Target), (plan.GetProperty("activeMembers").GetInt32(), plan.GetProperty("records").GetInt64()));
        await PostAsync(http, $$"""{"planId":"{{plan.GetProperty("planId").GetGuid()}}"}""", HttpStatusCode.OK);
        var before = await BytesReadAsync(http);
        using (var again = new GroupConsumer(silo.KafkaBootstrap, Group, topic))
        {
            await Eventually.IsTrueAsync(() => again.Read.Count >= Records - Target, () => $"{again.Read.Count} records again");
            Assert.Equal(Enumerable.Range(Target, Records - Target).Select(ValueOf), again.Read);
        }

        // What is scraped may be a moment old.
        var planned = plan.GetProperty("sizeBytes").GetInt64();
        long read = 0;
        for (var attempt = 0; attempt < 100 && read < planned; attempt++)
        {
            read = await BytesReadAsync(http) - before;
            await Task.Delay(20, Cancellation);
        }

        Assert.Equal(planned, read);
    }

    /// <summary>In batches of a few records each, of many sizes.</summary>
    private static async Task<string> FillAsync(SiloProcess silo)
    {
        var topic = await Topics.CreateAsync(silo.KafkaBootstrap);
        using var producer = Topics.Producer(silo.KafkaBootstrap, config => config.LingerMs = 20);
        foreach (var some in Enumerable.Range(0, Records).Chunk(8))
            await Task.WhenAll(some.Select(number => producer.ProduceAsync(topic, new() { Value = Encoding.UTF8.GetBytes(ValueOf(number)) }, Cancellation)));
        return topic;
    }

    private static string ValueOf(int number) => $"{number}-{new string('x', number * 7 % 400)}";

    private static async Task<long> BytesReadAsync(HttpClient http) => Samples().Matches(await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancellation))
        .Sum(sample => (long)double.Parse(sample.Groups[1].Value, CultureInfo.InvariantCulture));

    private static async Task<JsonElement> PostAsync(HttpClient http, string body, HttpStatusCode wanted)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri($"/groups/{Group}/resets", UriKind.Relative), content, Cancellation);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.StatusCode == wanted, $"{answer.StatusCode} in place of {wanted}: {text}");
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    [GeneratedRegex(@"^granary_partition_read_bytes_total\{[^}]*\} ([0-9.e+]+)", RegexOptions.Multiline)]
    private static partial Regex Samples();
}

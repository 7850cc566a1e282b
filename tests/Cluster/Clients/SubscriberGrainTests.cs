using System.Collections.Immutable;
using Granary.Abstractions.Subscriptions;
using Granary.Cluster.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Metadata;
using Orleans.Runtime;

namespace Granary.Cluster.Clients;

/// <summary>A user's grain class is found from an Orleans client by its type, as a subscription finds it, and gets records as they are.</summary>
public sealed class SubscriberGrainTests(PrivatePostgres postgres)
{
    [Fact]
    public async Task Records_ComeToTheClassAndKey_AsTheyAre()
    {
        await using var cluster = await ClusterOfTwo.StartAsync(postgres, TestContext.Current.CancellationToken);
        var client = (IClusterClient)cluster.Client;
        var type = client.ServiceProvider.GetRequiredService<GrainTypeResolver>().GetGrainType(typeof(TellingSubscriber));
        LogRecord[] records =
        [
            new(5, 1_000, "learner-7"u8.ToArray(), "done"u8.ToArray(), [new LogRecordHeader("n", new byte[] { 1, 2 })]),
            new(9, -1, null, null, []),
        ];
        await client.GetGrain<ILogSubscriber>(GrainId.Create(type, "events/3")).OnRecordsAsync(new LogRecords("events", 3, [.. records]));
        var told = await client.GetGrain<ITelling>(GrainId.Create(type, "events/3")).TellAsync();
        Assert.Equal(
            ["events/3: events 3 5 1000 learner-7 done n=0102", "events/3: events 3 9 -1 - - "],
            told);
    }
}

public interface ITelling : IGrainWithStringKey
{
    Task<ImmutableArray<string>> TellAsync();
}

[LogSubscription("events", Group = "telling")]
public sealed class TellingSubscriber : Grain, ILogSubscriber, ITelling
{
    private readonly List<string> _told = [];

    public Task OnRecordsAsync(LogRecords records)
    {
        foreach (var record in records.Records)
        {
            var headers = string.Join(',', record.Headers.Select(header => $"{header.Key}={Convert.ToHexString(header.Value!.Value.Span)}"));
            _told.Add($"{this.GetPrimaryKeyString()}: {records.Topic} {records.Partition} {record.Offset} {record.Timestamp} {record.KeyText ?? "-"} {record.ValueText ?? "-"} {headers}");
        }

        return Task.CompletedTask;
    }

    public Task<ImmutableArray<string>> TellAsync() => Task.FromResult<ImmutableArray<string>>([.. _told]);
}

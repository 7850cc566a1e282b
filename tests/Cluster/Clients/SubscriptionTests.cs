using System.Collections.Concurrent;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Subscriptions;
using Granary.Cluster.Storage;
using Granary.Grains.Groups;
using Microsoft.Extensions.DependencyInjection;

namespace Granary.Cluster.Clients;

/// <summary>Grain classes with a subscription, in silos with everything a subscription needs: groups, partitions, PostgreSQL.</summary>
public sealed class SubscriptionTests(PrivatePostgres postgres)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Records_ComeToTheGrainOfTheirKey_InOrder_AndGoOnWhenASiloDies()
    {
        await using var cluster = await ClusterOfTwo.StartAsync(postgres, TestContext.Current.CancellationToken, services =>
        {
            // A member that died with its silo is missed soon.
            services.Configure<ConsumerGroupOptions>(options => options.SessionTimeout = TimeSpan.FromSeconds(3));
            services.AddGranaryClient();
            services.AddGranarySubscriptions(typeof(SubscriptionTests).Assembly);
        });
        await new LogAdmin(cluster.Client).CreateTopicAsync("counted", 4);
        await using var producer = new LogProducer(cluster.Client);
        for (var number = 0; number < 100; number++)
            await producer.SendTextAsync("counted", $"learner-{number % 5}", $"{number}");
        await AwaitAsync(100);
        foreach (var learner in CountingSubscriber.Got)
            Assert.Equal(Enumerable.Range(0, 20).Select(turn => $"{(turn * 5) + int.Parse(learner.Key.Split('-')[1], System.Globalization.CultureInfo.InvariantCulture)}"), learner.Value.Distinct());

        await cluster.KillOneAsync();
        for (var number = 100; number < 150; number++)
            await producer.SendTextAsync("counted", $"learner-{number % 5}", $"{number}");
        await AwaitAsync(150);
    }

    private static async Task AwaitAsync(int count)
    {
        var started = System.Diagnostics.Stopwatch.StartNew();
        while (CountingSubscriber.Got.Values.Sum(got => got.Distinct().Count()) < count)
        {
            Assert.True(started.Elapsed < s_patience, $"{string.Join("; ", CountingSubscriber.Got.Select(got => $"{got.Key}: {got.Value.Distinct().Count()} to {got.Value.Last()}"))} {CountingSubscriber.Got.Values.Sum(got => got.Distinct().Count())} of {count} records within {s_patience}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}

[LogSubscription("counted", Group = "counting", By = SubscriptionKey.Key)]
public sealed class CountingSubscriber : Grain, ILogSubscriber
{
    /// <summary>By grain; of the whole process, because grains move between its silos.</summary>
    public static ConcurrentDictionary<string, ConcurrentQueue<string>> Got { get; } = new();

    public Task OnRecordsAsync(LogRecords records)
    {
        foreach (var record in records.Records)
            Got.GetOrAdd(this.GetPrimaryKeyString(), _ => new()).Enqueue(record.ValueText!);
        return Task.CompletedTask;
    }
}

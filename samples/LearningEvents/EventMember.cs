using Granary.Abstractions.Clients;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Granary.LearningEvents;

/// <summary>
/// Prints events as a member of a consumer group: all processes of this service share the partitions, and go on where the group was. What was printed is
/// committed by interval and on leaving.
/// </summary>
internal sealed class EventMember(LogConsumers consumers, IOptions<SampleOptions> options, ILogger<EventMember> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var consumer = consumers.Open();
        consumer.Subscribe([options.Value.Topic], options.Value.Group, new SubscriptionOptions
        {
            AutoCommitInterval = TimeSpan.FromSeconds(1),
            Assigned = partitions => Tell("got", partitions),
            Revoked = partitions => Tell("gives back", partitions),
            Lost = partitions => Tell("lost", partitions),
        });
        try
        {
            await foreach (var record in consumer.ReadAsync(stoppingToken))
                Console.WriteLine($"{"member",-10} {record.Partition} @{record.Offset} {record.KeyText}: {record.ValueText}");
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            logger.LogInformation("the member leaves {Group}", options.Value.Group);
        }
    }

    private Task Tell(string what, IReadOnlyCollection<TopicPartition> partitions)
    {
        logger.LogInformation("the member {What} {Partitions}", what, string.Join(", ", partitions));
        return Task.CompletedTask;
    }
}

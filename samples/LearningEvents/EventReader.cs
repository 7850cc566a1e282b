using Granary.Abstractions.Clients;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Granary.LearningEvents;

/// <summary>Prints all events of the topic from one position on. Readers know nothing of one another.</summary>
internal sealed class EventReader(string name, LogPosition from, LogConsumers consumers, LearningTopic learning, ILogger<EventReader> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var topic = await learning.EnsureAsync(stoppingToken);
        await using var consumer = consumers.Open();
        consumer.Assign([.. Enumerable.Range(0, topic.PartitionCount).Select(index => new TopicPartitionOffset(topic.Name, index, from))]);
        logger.LogInformation("{Name} reads {Topic} from {From}", name, topic.Name, from);
        try
        {
            await foreach (var record in consumer.ReadAsync(stoppingToken))
                Console.WriteLine($"{name,-10} {record.Partition} @{record.Offset} {record.KeyText}: {record.ValueText}");
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            logger.LogInformation("{Name} stops", name);
        }
    }
}

using Granary.Abstractions.Clients;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Granary.LearningEvents;

/// <summary>Publishes what learners do: they buy a course, watch, finish lessons, and now and then want their money back.</summary>
internal sealed class EventPublisher(LogProducer producer, LearningTopic learning, IOptions<SampleOptions> options, ILogger<EventPublisher> logger) : BackgroundService
{
    private readonly SampleOptions _options = options.Value;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var topic = await learning.EnsureAsync(stoppingToken);
        logger.LogInformation("publishing to {Topic}, {Partitions} partitions", topic.Name, topic.PartitionCount);
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / _options.EventsPerSecond));
        while (!stoppingToken.IsCancellationRequested)
        {
            var learned = NextEvent();
            try
            {
                var place = await producer.SendAsync(_options.Topic, Key(learned), learned.ToJson());
                logger.LogDebug("{Event} lies at {Partition} offset {Offset}", learned, place.Partition, place.Offset);
                await pace.WaitForNextTickAsync(stoppingToken);
            }
            catch (LogException failed)
            {
                logger.LogError(failed, "{Event} could not be published", learned);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private LearningEvent NextEvent()
    {
        var random = Random.Shared;
        var learner = $"learner-{random.Next(_options.Learners)}";
        var course = $"course-{random.Next(4)}";
        return random.Next(10) switch
        {
            0 => new PurchaseCompleted(learner, course, 49.90m, "EUR"),
            1 => new PurchaseRefunded(learner, course, "changed my mind"),
            < 5 => new LessonCompleted(learner, course, random.Next(1, 12)),
            _ => new VideoProgressed(learner, course, random.Next(1, 12), random.Next(600)),
        };
    }

    private static byte[] Key(LearningEvent learned) => System.Text.Encoding.UTF8.GetBytes(learned.Learner);
}

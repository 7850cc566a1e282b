using Granary.Abstractions.Clients;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Granary.LearningEvents;

/// <summary>
/// The topic that all of this is about, created where it is not there yet. Producer and consumers try again by themselves when a silo is lost;
/// a call to <see cref="LogAdmin"/> is one call, so it is repeated here.
/// </summary>
internal sealed class LearningTopic(LogAdmin admin, IOptions<SampleOptions> options, ILogger<LearningTopic> logger)
{
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromSeconds(1);

    public async Task<TopicDescription> EnsureAsync(CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                return await admin.EnsureTopicAsync(options.Value.Topic, options.Value.Partitions).WaitAsync(stopping);
            }
            catch (Exception failed) when (!stopping.IsCancellationRequested)
            {
                logger.LogWarning("{Topic} is not there yet: {Reason}", options.Value.Topic, failed.Message);
                await Task.Delay(s_retryDelay, stopping);
            }
        }
    }
}

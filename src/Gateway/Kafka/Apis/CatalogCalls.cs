using System.Collections.Immutable;
using Granary.Abstractions.Topics;

namespace Granary.Gateway.Kafka.Apis;

/// <summary>
/// Changes of the catalog that clients ask for. When a change is answered, this process shows it (<see cref="SavedChanges"/>).
/// </summary>
internal sealed class CatalogCalls(IGrainFactory grains, SavedChanges saved, CallFailures failures)
{
    public Task<ImmutableArray<TopicResult>> CreateAsync(ImmutableArray<NewTopic> topics, bool validateOnly, int timeoutMs) =>
        ChangeAsync(
            "Creating topics", topics, topic => topic.Name, catalog => catalog.CreateAsync(topics, validateOnly), validateOnly, timeoutMs);

    public Task<ImmutableArray<TopicResult>> DeleteAsync(ImmutableArray<TopicName> topics, int timeoutMs) =>
        ChangeAsync(
            "Deleting topics", topics, topic => topic.Name, catalog => catalog.DeleteAsync(topics), validateOnly: false, timeoutMs);

    public Task<ImmutableArray<TopicResult>> CreatePartitionsAsync(ImmutableArray<NewPartitions> topics, bool validateOnly, int timeoutMs) =>
        ChangeAsync(
            "Adding partitions",
            topics,
            topic => topic.Name,
            catalog => catalog.CreatePartitionsAsync(topics, validateOnly),
            validateOnly,
            timeoutMs);

    public Task<ImmutableArray<TopicResult>> AlterConfigsAsync(ImmutableArray<TopicConfigChanges> topics, bool validateOnly) =>
        ChangeAsync(
            "Altering topics' configs",
            topics,
            topic => topic.Name,
            catalog => catalog.AlterConfigsAsync(topics, validateOnly),
            validateOnly,
            timeoutMs: 0);

    /// <summary>
    /// One answer per topic, in their order. <paramref name="timeoutMs"/>: how long the client wants to wait; 0 and below: as long as
    /// a grain call may take. When it is over the change goes on, and its outcome is not known.
    /// </summary>
    private async Task<ImmutableArray<TopicResult>> ChangeAsync<T>(
        string what,
        ImmutableArray<T> topics,
        Func<T, string?> nameOf,
        Func<ITopicCatalogGrain, Task<ImmutableArray<TopicResult>>> change,
        bool validateOnly,
        int timeoutMs)
    {
        if (topics.IsEmpty)
            return [];
        ImmutableArray<TopicResult> results;
        try
        {
            var patience = timeoutMs > 0 ? TimeSpan.FromMilliseconds(timeoutMs) : Timeout.InfiniteTimeSpan;
            results = await change(grains.GetGrain<ITopicCatalogGrain>(ITopicCatalogGrain.Key)).WaitAsync(patience);
        }
        catch (Exception failure)
        {
            var answer = failures.ToErrorCode(what, failure, ErrorCode.RequestTimedOut);
            var message = answer == ErrorCode.RequestTimedOut
                ? "The topic catalog did not answer in time: whether the change was made is not known."
                : "The topic catalog failed: whether the change was made is not known.";
            return [.. topics.Select(topic => new TopicResult(nameOf(topic), answer, message, null))];
        }

        if (!validateOnly && results.Any(result => result.Error == ErrorCode.None))
            await saved.ShowAsync();
        return results;
    }
}

using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;

namespace Granary.Gateway.Kafka.Apis;

/// <summary>
/// Finds topics for requests that must not deny what exists: where this process has not heard of one, the catalog is asked once for
/// the whole request.
/// </summary>
internal sealed class TopicLookup(TopicDirectory directory, CallFailures failures)
{
    /// <summary>Looks these names up. The answer of <see cref="Found"/> holds for them and for them alone.</summary>
    public async ValueTask<Found> FindAsync(IEnumerable<string> names)
    {
        var missing = names.Any(name => directory.Find(name) is null);
        return new Found(directory, missing && !await TryRefreshAsync());
    }

    /// <summary>Looks these ids up.</summary>
    public async ValueTask<Found> FindAsync(IEnumerable<Guid> topicIds)
    {
        var missing = topicIds.Any(topicId => directory.Find(topicId) is null);
        return new Found(directory, missing && !await TryRefreshAsync());
    }

    private async ValueTask<bool> TryRefreshAsync()
    {
        try
        {
            await directory.RefreshAsync();
            return true;
        }
        catch (Exception failure)
        {
            failures.ToErrorCode("Looking for a topic in the catalog", failure, ErrorCode.LeaderNotAvailable);
            return false;
        }
    }

    /// <param name="catalogIsAway">True: a topic that is not found may exist all the same.</param>
    internal readonly struct Found(TopicDirectory directory, bool catalogIsAway)
    {
        /// <summary>What to say of a name that is not found: retriable where the catalog could not be asked.</summary>
        public ErrorCode UnknownName => catalogIsAway ? ErrorCode.LeaderNotAvailable : ErrorCode.UnknownTopicOrPartition;

        /// <summary>The same for what a group is asked: clients do not expect of a coordinator to be told of leaders.</summary>
        public ErrorCode GroupPartition(string name, int index, out PartitionId partition) =>
            Partition(name, index, out partition) is var error && error == ErrorCode.LeaderNotAvailable ? ErrorCode.CoordinatorLoadInProgress : error;

        /// <summary>What to say of an id that is not found: retriable where the catalog could not be asked.</summary>
        public ErrorCode UnknownId => catalogIsAway ? ErrorCode.LeaderNotAvailable : ErrorCode.UnknownTopicId;

        public TopicDescription? Topic(string name) => directory.Find(name);

        public TopicDescription? Topic(Guid topicId) => directory.Find(topicId);

        /// <summary>The partition of that name and index, or why there is none.</summary>
        public ErrorCode Partition(string name, int index, out PartitionId partition)
        {
            partition = default;
            if (directory.Find(name) is not { } topic)
                return UnknownName;
            if (index < 0 || index >= topic.PartitionCount)
                return ErrorCode.UnknownTopicOrPartition;
            partition = new PartitionId(topic.TopicId, index);
            return ErrorCode.None;
        }
    }
}

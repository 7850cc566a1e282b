using Granary.Abstractions.Groups;
using Granary.Abstractions.Topics;

namespace Granary.Grains.Groups;

/// <summary>What can be refused of a heartbeat without knowing the group.</summary>
internal static class ConsumerGroupHeartbeatCheck
{
    /// <returns>Null: nothing is wrong with it.</returns>
    public static (ErrorCode Error, string Message)? Refuse(ConsumerGroupHeartbeat beat, ConsumerGroupOptions options)
    {
        var wrongId = RefuseId(beat.MemberId, "MemberId", options) ?? RefuseId(beat.InstanceId, "InstanceId", options) ?? RefuseId(beat.RackId, "RackId", options);
        if (wrongId is not null)
            return (ErrorCode.InvalidRequest, wrongId);
        if (RefuseEpoch(beat) is { } wrongEpoch)
            return (ErrorCode.InvalidRequest, wrongEpoch);
        if (beat.ServerAssignor is not null && !ConsumerGroupAssignors.Knows(beat.ServerAssignor))
            return (ErrorCode.UnsupportedAssignor, $"There is no server assignor '{beat.ServerAssignor}'; there are: {string.Join(", ", ConsumerGroupAssignors.Names)}.");
        if (beat.RebalanceTimeout < TimeSpan.Zero)
            return (ErrorCode.InvalidRequest, "RebalanceTimeoutMs can't be negative.");
        if (beat.SubscribedTopics?.Length > options.MaxSubscribedTopics)
            return (ErrorCode.InvalidRequest, $"{beat.SubscribedTopics?.Length} subscribed topics are more than {options.MaxSubscribedTopics} (MaxSubscribedTopics).");
        if (beat.SubscribedTopics?.FirstOrDefault(name => name.Length > TopicNames.MaxLength) is { } longest)
            return (ErrorCode.InvalidRequest, $"The subscribed topic '{longest[..32]}…' has {longest.Length} characters, {TopicNames.MaxLength} is the most.");
        return beat.OwnedPartitions?.Length > options.MaxOwnedPartitions
            ? (ErrorCode.InvalidRequest, $"{beat.OwnedPartitions?.Length} owned partitions are more than {options.MaxOwnedPartitions} (MaxOwnedPartitions).")
            : null;
    }

    private static string? RefuseId(string? id, string name, ConsumerGroupOptions options)
    {
        if (id is null)
            return null;
        if (GroupIds.IsBlank(id))
            return $"{name} can't be empty.";
        return id.Length > options.MaxIdLength ? $"{name} has {id.Length} characters, {options.MaxIdLength} is the most (MaxIdLength)." : null;
    }

    private static string? RefuseEpoch(ConsumerGroupHeartbeat beat)
    {
        switch (beat.MemberEpoch)
        {
            case ConsumerGroupHeartbeat.Join when beat.Classic is null:
                if (beat.RebalanceTimeout is null)
                    return "RebalanceTimeoutMs must be provided in first request.";
                if (beat.OwnedPartitions is not { Length: 0 })
                    return "TopicPartitions must be empty when (re-)joining.";
                return beat.SubscribedTopics is null && beat.SubscribedRegex is null
                    ? "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining."
                    : null;
            case ConsumerGroupHeartbeat.LeaveForAWhile:
                return beat.InstanceId is null ? "InstanceId can't be null." : null;
            case < ConsumerGroupHeartbeat.LeaveForAWhile:
                return "MemberEpoch is invalid.";
            default:
                return null;
        }
    }
}

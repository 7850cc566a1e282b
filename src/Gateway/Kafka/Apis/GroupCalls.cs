using Granary.Abstractions.Groups;

namespace Granary.Gateway.Kafka.Apis;

/// <summary>
/// Calls to groups' coordinators. A client that should ask another broker is sent there (NOT_COORDINATOR); a coordinator that is between silos
/// is COORDINATOR_NOT_AVAILABLE, which clients repeat.
/// </summary>
internal sealed class GroupCalls(IGrainFactory grains, ClusterView cluster, HostedMembers hosted, CallFailures failures)
{
    /// <summary>Asks the group's coordinator; <paramref name="refuse"/> makes the answer where it cannot be asked.</summary>
    /// <param name="mayBeEmpty">Positions may be kept under an empty group id, as Kafka allows for old clients' sake; nobody may join one.</param>
    public async ValueTask<T> AskAsync<T>(
        RequestContext context, string groupId, Func<IGroupGrain, Task<T>> ask, Func<ErrorCode, T> refuse, bool mayBeEmpty = false)
    {
        if ((groupId.Length == 0 && !mayBeEmpty) || GroupIds.Refuse(groupId) is not null)
            return refuse(ErrorCode.InvalidGroupId);
        return await AskAsync(context, groupId, () => ask(grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(groupId))), refuse);
    }

    /// <summary>Beats for a member of a group of the consumer protocol, without a call where its grain is here and there is nothing new. Both ids are checked already.</summary>
    public ValueTask<ConsumerGroupHeartbeatReply> BeatAsync(RequestContext context, string groupId, ConsumerGroupHeartbeat beat)
    {
        if (hosted.Answer(groupId, beat) is { } answer && !cluster.IsCoordinatedElsewhere(context.Listener, groupId))
            return ValueTask.FromResult(answer);
        var member = grains.GetGrain<IGroupMemberGrain>(IGroupMemberGrain.KeyOf(groupId, beat.MemberId));
        return AskAsync(context, groupId, () => member.HeartbeatAsync(beat), error => ConsumerGroupHeartbeatReply.Refuse(beat.MemberId, error));
    }

    private async ValueTask<T> AskAsync<T>(RequestContext context, string groupId, Func<Task<T>> ask, Func<ErrorCode, T> refuse)
    {
        if (cluster.IsCoordinatedElsewhere(context.Listener, groupId))
            return refuse(ErrorCode.NotCoordinator);
        try
        {
            return await ask().WaitAsync(context.Ending);
        }
        catch (OperationCanceledException) when (context.Ending.IsCancellationRequested)
        {
            return refuse(ErrorCode.NotCoordinator);
        }
        catch (Exception failure)
        {
            return refuse(failures.ToErrorCode("Asking a group's coordinator", failure, ErrorCode.CoordinatorNotAvailable));
        }
    }
}

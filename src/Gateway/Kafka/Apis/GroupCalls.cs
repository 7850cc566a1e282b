using Granary.Abstractions.Groups;

namespace Granary.Gateway.Kafka.Apis;

/// <summary>
/// Calls to groups' coordinators. A client that should ask another broker is sent there (NOT_COORDINATOR); a coordinator that is between silos
/// is COORDINATOR_NOT_AVAILABLE, which clients repeat.
/// </summary>
internal sealed class GroupCalls(IGrainFactory grains, ClusterView cluster, CallFailures failures)
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

    /// <summary>As the other, of a member of a group of the consumer protocol. Both ids are checked already.</summary>
    public ValueTask<T> AskMemberAsync<T>(RequestContext context, string groupId, string memberId, Func<IGroupMemberGrain, Task<T>> ask, Func<ErrorCode, T> refuse) =>
        AskAsync(context, groupId, () => ask(grains.GetGrain<IGroupMemberGrain>(IGroupMemberGrain.KeyOf(groupId, memberId))), refuse);

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

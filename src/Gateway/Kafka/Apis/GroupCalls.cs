using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Gateway.Kafka.Apis;

/// <summary>
/// Calls to groups' coordinators. A client that should ask another broker is sent there (NOT_COORDINATOR); a coordinator that is between silos
/// is COORDINATOR_NOT_AVAILABLE, which clients repeat. Positions are told by whoever is asked.
/// </summary>
internal sealed class GroupCalls(IGrainFactory grains, ClusterView cluster, HostedMembers hosted, CallFailures failures, KafkaOptions options, TimeProvider time)
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(300);

    /// <summary>Asks the group's coordinator; <paramref name="refuse"/> makes the answer where it cannot be asked.</summary>
    /// <param name="mayBeEmpty">Positions may be kept under an empty group id, as Kafka allows for old clients' sake; nobody may join one.</param>
    public async ValueTask<T> AskAsync<T>(
        RequestContext context, string groupId, Func<IGroupGrain, Task<T>> ask, Func<ErrorCode, T> refuse, bool mayBeEmpty = false)
    {
        if ((groupId.Length == 0 && !mayBeEmpty) || GroupIds.Refuse(groupId) is not null)
            return refuse(ErrorCode.InvalidGroupId);
        return await AskAsync(context, groupId, () => ask(GroupOf(groupId)), refuse);
    }

    /// <summary>
    /// Asks for positions, wherever the coordinator is, and waits for one that is between silos; NOT_COORDINATOR and COORDINATOR_NOT_AVAILABLE are never answered.
    /// librdkafka, up to 2.16 at least, does not ask again after those (its issue 5586): the partitions that it was about to read from there it never reads, and a
    /// cooperative member neither joins nor beats any more once it is to give back another one. COORDINATOR_LOAD_IN_PROGRESS it repeats, unless its
    /// assignment has changed meanwhile; so that is answered as late as may be.
    /// </summary>
    /// <param name="began">When the request came: the wait is the whole request's, however many groups it asks for.</param>
    public async ValueTask<CommittedOffsets> FetchOffsetsAsync(
        RequestContext context, long began, string groupId, ImmutableArray<PartitionId> partitions, GroupCaller? caller)
    {
        if (GroupIds.Refuse(groupId) is not null)
            return new CommittedOffsets(ErrorCode.InvalidGroupId, []);
        var pause = s_firstPause;
        while (true)
        {
            var left = options.MaxCoordinatorWait - time.GetElapsedTime(began);
            var answer = await TryFetchOffsetsAsync(context, left > s_firstPause ? left : s_firstPause, groupId, partitions, caller);
            if (answer.Error is not (ErrorCode.NotCoordinator or ErrorCode.CoordinatorNotAvailable or ErrorCode.CoordinatorLoadInProgress))
                return answer;
            if (time.GetElapsedTime(began) + pause > options.MaxCoordinatorWait || context.Ending.IsCancellationRequested)
                return new CommittedOffsets(ErrorCode.CoordinatorLoadInProgress, []);
            await Task.Delay(pause, time, context.Ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause < s_longestPause ? 2 * pause : pause;
        }
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

    private async Task<CommittedOffsets> TryFetchOffsetsAsync(RequestContext context, TimeSpan within, string groupId, ImmutableArray<PartitionId> partitions, GroupCaller? caller)
    {
        try
        {
            return await GroupOf(groupId).FetchOffsetsAsync(partitions, caller).WaitAsync(within, time, context.Ending);
        }
        catch (OperationCanceledException) when (context.Ending.IsCancellationRequested)
        {
            return new CommittedOffsets(ErrorCode.NotCoordinator, []);
        }
        catch (Exception failure)
        {
            return new CommittedOffsets(failures.ToErrorCode("Asking a group for its positions", failure, ErrorCode.CoordinatorNotAvailable), []);
        }
    }

    private IGroupGrain GroupOf(string groupId) => grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(groupId));
}

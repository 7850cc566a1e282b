using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Microsoft.Extensions.Logging;

namespace Granary.Abstractions.Clients;

/// <summary>
/// Keeps one membership alive over grain calls: heartbeats, one at a time, by themselves; and commits, fenced by the member's epoch. What there is to give
/// back or take up it only tells: <see cref="GroupReading"/> does that between two records. Safe for several threads.
/// </summary>
internal sealed class GroupSession
{
    private readonly ConsumerParts _parts;
    private readonly string _group;
    private readonly SubscriptionOptions _options;
    private readonly GroupMembership _membership;
    private readonly IGroupMemberGrain _member;
    private readonly Action _told;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _committing = new(1, 1);
    private readonly Lock _gate = new();
    private TaskCompletionSource _urgent = NewSignal();
    private TaskCompletionSource _heard = NewSignal();
    private Task? _beating;
    private TimeSpan? _awaySince;

    /// <param name="parts">What it shares with the consumer's readers.</param>
    /// <param name="group">The group's id.</param>
    /// <param name="subscription">What the member wants.</param>
    /// <param name="options">Its limits.</param>
    /// <param name="told">Called when the reader has something to do; on any thread, and not to wait.</param>
    public GroupSession(ConsumerParts parts, string group, GroupSubscription subscription, SubscriptionOptions options, Action told)
    {
        (_parts, _group, _options, _told) = (parts, group, options, told);
        _membership = new GroupMembership(subscription);
        _member = parts.Grains.GetGrain<IGroupMemberGrain>(IGroupMemberGrain.KeyOf(group, subscription.MemberId));
    }

    /// <summary>Why the group will not have this member; null: it will.</summary>
    public LogException? Refusal { get; private set; }

    public CancellationToken Stopping => _stopping.Token;

    private IGroupGrain Group => _parts.Grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(_group));

    /// <summary>Looks at or changes the membership. A heartbeat that must not wait goes out at once.</summary>
    public T With<T>(Func<GroupMembership, T> use)
    {
        lock (_gate)
        {
            var result = use(_membership);
            if (_membership.IsUrgent)
                _urgent.TrySetResult();
            return result;
        }
    }

    /// <summary>Begins to be a member, once.</summary>
    public void Start()
    {
        // It outlives whichever request subscribed: it must not carry that one's context along.
        using (ExecutionContext.SuppressFlow())
            _beating ??= Task.Run(BeatAsync);
    }

    /// <summary>
    /// The reader works on a record from now on, or has ended, where it was not away already; after <see cref="SubscriptionOptions.MaxProcessingTime"/> it counts as stuck.
    /// </summary>
    public void ReaderLeaves()
    {
        lock (_gate)
            _awaySince ??= _parts.Clock.Now;
    }

    public void ReaderIsBack()
    {
        lock (_gate)
        {
            _awaySince = null;
            if (_membership.Epoch == ConsumerGroupHeartbeat.Join)
                _urgent.TrySetResult();
        }
    }

    /// <summary>Owns these no more, and the rest of the assignment from now on. No commit is under way meanwhile: a late one would put the next owner back.</summary>
    /// <returns>What is new; nothing where the member was removed since <paramref name="life"/>.</returns>
    public async Task<ImmutableArray<PartitionId>> ExchangeAsync(ImmutableArray<PartitionId> givenBack, int life)
    {
        await _committing.WaitAsync();
        try
        {
            return With<ImmutableArray<PartitionId>>(membership =>
            {
                if (membership.Life != life)
                    return [];
                membership.GiveBack(givenBack);
                return membership.TakeUp();
            });
        }
        finally
        {
            _committing.Release();
        }
    }

    /// <summary>Keeps these positions in the group. Throws <see cref="LogException"/> where the member is not one any more, or a partition is refused.</summary>
    /// <param name="positions">Of partitions that are owned.</param>
    /// <param name="life">The one that they were read in (<see cref="GroupMembership.Life"/>): a member that has joined anew has no say in what it lost.</param>
    public async Task CommitAsync(IEnumerable<KeyValuePair<PartitionId, PositionToCommit>> positions, int life, CancellationToken cancellation)
    {
        var left = positions.Select(one => new OffsetToCommit(one.Key, one.Value.Offset, one.Value.LeaderEpoch, one.Value.Metadata ?? "")).ToImmutableArray();
        if (left.IsEmpty)
            return;

        // One at a time: an older commit that is tried again must not come after a newer one.
        await _committing.WaitAsync(cancellation);
        try
        {
            var retries = Asking($"commit to group {_group}", cancellation);
            while (!left.IsEmpty)
                left = await CommitOnceAsync(left, life, retries, cancellation);
        }
        finally
        {
            _committing.Release();
        }
    }

    /// <summary>
    /// What the group keeps of these partitions; those without an offset are left out, also those where what
    /// was committed is none (<see cref="CommittedOffset.IsPosition"/>).
    /// </summary>
    public async Task<IReadOnlyDictionary<PartitionId, PositionToCommit>> CommittedAsync(ImmutableArray<PartitionId> partitions, CancellationToken cancellation)
    {
        if (partitions.IsEmpty)
            return ImmutableDictionary<PartitionId, PositionToCommit>.Empty;
        var retries = Asking($"offsets of group {_group}", cancellation);
        while (true)
        {
            var kept = await retries.AskAsync(() => Group.FetchOffsetsAsync(partitions), _parts.Options.RequestTimeout);
            if (kept.Error == ErrorCode.None)
                return kept.Offsets.Where(one => one.IsPosition).ToDictionary(one => one.Partition, one => new PositionToCommit(one.Offset, one.LeaderEpoch, one.Metadata));
            await retries.EndureAsync(kept.Error, message: null);
        }
    }

    /// <summary>Calls for this member, made again while they fail.</summary>
    public Retries Asking(string subject, CancellationToken cancellation) =>
        new(subject, _parts.Backoff, _parts.Clock, _parts.Options.AskTimeout, _parts.Logger, cancellation);

    /// <summary>Beats no more, and tells the group that this member is gone. Where it cannot be told the group finds out after a session.</summary>
    public async Task LeaveAsync()
    {
        await _stopping.CancelAsync();
        if (_beating is { } beating)
            await beating;
        if (With(membership => membership.Leave()) is { } leaving)
            await SayGoodbyeAsync(leaving);
    }

    private async Task SayGoodbyeAsync(ConsumerGroupHeartbeat leaving)
    {
        try
        {
            await _member.HeartbeatAsync(leaving).WaitAsync(_parts.Options.RequestTimeout, _parts.Clock.Provider);
        }
        catch (Exception failed)
        {
            ClientDiagnostics.NotTold(_parts.Logger, _group, leaving.MemberId, failed.Message, failed);
        }
    }

    private async Task BeatAsync()
    {
        var failures = 0;
        while (!_stopping.IsCancellationRequested)
        {
            if (LeaveWhereStuck(out var leaving))
            {
                if (leaving is not null)
                    await SayGoodbyeAsync(leaving);
                await PauseAsync(Timeout.InfiniteTimeSpan);
                continue;
            }

            var pause = await BeatOnceAsync();
            failures = pause is null ? failures + 1 : 0;
            if (Refusal is not null)
                return;
            if (pause is { } interval)
                await PauseAsync(interval);
            else
                await Task.Delay(_parts.Backoff.After(failures), _parts.Clock.Provider, Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>How long to wait for the next; null: it failed.</returns>
    private async Task<TimeSpan?> BeatOnceAsync()
    {
        ConsumerGroupHeartbeat beat;
        lock (_gate)
        {
            _urgent = NewSignal();
            beat = _membership.Beat();
        }

        ConsumerGroupHeartbeatReply reply;
        try
        {
            reply = await _member.HeartbeatAsync(beat).WaitAsync(_parts.Options.RequestTimeout, _parts.Clock.Provider, Stopping);
        }
        catch (Exception failed)
        {
            lock (_gate)
                _membership.HearNothing();
            if (!_stopping.IsCancellationRequested)
                ClientDiagnostics.Retried(_parts.Logger, $"heartbeat to group {_group}", 1, failed.Message, failed);
            return null;
        }

        return Learn(reply);
    }

    private TimeSpan? Learn(ConsumerGroupHeartbeatReply reply)
    {
        MembershipNews news;
        lock (_gate)
        {
            news = _membership.Hear(reply);
            var heard = _heard;
            _heard = NewSignal();
            heard.TrySetResult();
            if (_membership.IsUrgent)
                _urgent.TrySetResult();
            if (news == MembershipNews.None && !_membership.HasWork)
                return reply.HeartbeatInterval;
        }

        if (news == MembershipNews.Unavailable)
        {
            ClientDiagnostics.Retried(_parts.Logger, $"heartbeat to group {_group}", 1, reply.Message ?? reply.Error.ToString(), null);
            return null;
        }

        if (news == MembershipNews.Lost)
            ClientDiagnostics.RemovedFromGroup(_parts.Logger, _group, reply.MemberId, reply.Message ?? reply.Error.ToString());
        if (news == MembershipNews.Refused)
            Refusal = new LogException(reply.Error, $"group {_group}: {reply.Message ?? reply.Error.ToString()}");
        _told();
        return news == MembershipNews.Lost ? TimeSpan.Zero : reply.HeartbeatInterval;
    }

    private bool LeaveWhereStuck(out ConsumerGroupHeartbeat? leaving)
    {
        lock (_gate)
        {
            leaving = null;
            if (_awaySince is not { } since || _parts.Clock.Now - since < _options.MaxProcessingTime)
                return false;
            _urgent = NewSignal();
            leaving = _membership.Leave();
        }

        if (leaving is not null)
            ClientDiagnostics.ReaderStuck(_parts.Logger, _group, _membership.MemberId, _options.MaxProcessingTime);
        _told();
        return true;
    }

    private Task PauseAsync(TimeSpan interval)
    {
        Task urgent;
        lock (_gate)
            urgent = _urgent.Task;
        return SuppressedAsync(urgent.WaitAsync(interval, _parts.Clock.Provider, Stopping));
    }

    private static async Task SuppressedAsync(Task waiting) => await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task<ImmutableArray<OffsetToCommit>> CommitOnceAsync(ImmutableArray<OffsetToCommit> offsets, int life, Retries retries, CancellationToken cancellation)
    {
        GroupCaller caller;
        Task heard;
        lock (_gate)
        {
            caller = new GroupCaller(_membership.MemberId, _options.InstanceId, _membership.Epoch);
            heard = _heard.Task;
            if (_membership.Life != life || _membership.Epoch == ConsumerGroupHeartbeat.Join)
                throw NoMember(ErrorCode.UnknownMemberId);
            if (offsets.Any(offset => !_membership.Owned.Contains(offset.Partition)))
                throw new LogException(ErrorCode.RebalanceInProgress, $"group {_group}: a partition was given back meanwhile; nothing was committed");
        }

        var answers = await retries.AskAsync(() => Group.CommitAsync(new CommitRequest(caller, offsets)), _parts.Options.RequestTimeout);
        var refusal = answers.FirstOrDefault(answer => answer != ErrorCode.None);
        ImmutableArray<OffsetToCommit> left = [.. offsets.Where((_, index) => answers[index] != ErrorCode.None)];
        if (left.IsEmpty)
            return left;
        switch (refusal)
        {
            case ErrorCode.StaleMemberEpoch or ErrorCode.IllegalGeneration:
                // The group is an epoch ahead, and this member will be with its next heartbeat; until then nobody else has its partitions.
                if (With(membership => membership.Epoch) == caller.Generation)
                {
                    _urgent.TrySetResult();
                    await SuppressedAsync(heard.WaitAsync(_parts.Options.RequestTimeout, _parts.Clock.Provider, cancellation));
                }

                await retries.EndureAsync(ErrorCode.CoordinatorLoadInProgress, "the group is at a later epoch");
                return left;
            case ErrorCode.UnknownMemberId or ErrorCode.FencedMemberEpoch or ErrorCode.FencedInstanceId or ErrorCode.GroupIdNotFound:
                throw NoMember(refusal);
            default:
                await retries.EndureAsync(refusal, message: null);
                return left;
        }
    }

    private LogException NoMember(ErrorCode error) =>
        new(error, $"group {_group}: {_membership.MemberId} is not a member now, its partitions may be others': nothing was committed");

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

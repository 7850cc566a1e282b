using Granary.Abstractions;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Grains.Placement;
using Orleans.Runtime;

namespace Granary.Grains.Groups;

/// <summary>
/// A member of a group of the consumer protocol. Key: <see cref="IGroupMemberGrain.KeyOf"/>. Nothing is persisted: the group keeps its members, and a new
/// activation asks it with the first heartbeat. Concurrency: one heartbeat at a time, so that one question to the group is open at the most; nudges and
/// questions about silence interleave. It lives on the silo that coordinates the group; where the group has moved on, it ends after the heartbeat, and
/// the next one finds it at its new place. A gateway in the same silo has heartbeats that say nothing new answered beside it
/// (<see cref="HostedMembers"/>): at least every group check interval one comes through the grain, which keeps it active.
/// </summary>
[CoordinatedByMap]
internal sealed class GroupMemberGrain(GroupParts parts, ClusterMapSource maps, HostedMembers hosted) : Grain, IGroupMemberGrain
{
    /// <summary>Longer than it takes a group to open on another silo.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(2);

    private GroupMemberState _state = null!;
    private IGroupGrain _group = null!;
    private string _groupId = "";
    private string _memberId = "";

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _state = new GroupMemberState(parts.ConsumerOptions, parts.NowMs);
        (_groupId, _memberId) = IGroupMemberGrain.IdsOf(this.GetPrimaryKeyString()) ?? ("", "");
        _group = GrainFactory.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(_groupId));
        hosted.Add(_groupId, _memberId, TryAnswer);
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        hosted.Remove(_groupId, _memberId, TryAnswer);
        return Task.CompletedTask;
    }

    public async Task<ConsumerGroupHeartbeatReply> HeartbeatAsync(ConsumerGroupHeartbeat beat)
    {
        if (_state.Take(beat, parts.NowMs) is not { } reply)
        {
            reply = await AskGroupAsync(_state.Complete(beat));
            _state.Learn(reply);
        }

        var isGone = _state.Member is null;
        if (isGone || IsElsewhere)
            DeactivateOnIdle();
        return reply;
    }

    public Task NudgeAsync()
    {
        _state.Nudge();
        return Task.CompletedTask;
    }

    public Task<TimeSpan> SilenceAsync() => Task.FromResult(_state.SilenceAt(parts.NowMs));

    /// <summary>
    /// A question that was passed on to a silo that then died is answered by nobody, and Orleans does not tell: it would take half a minute, longer than many
    /// sessions, in which this grain takes no other heartbeat. So once the map has changed meanwhile, it has only a little longer.
    /// </summary>
    private async Task<ConsumerGroupHeartbeatReply> AskGroupAsync(ConsumerGroupHeartbeat beat)
    {
        using var answered = new CancellationTokenSource();
        var changed = maps.NextAsync(maps.Map.Fingerprint, answered.Token);
        var asking = _group.MemberHeartbeatAsync(beat);
        if (await Task.WhenAny(asking, changed) == changed)
            return await asking.WaitAsync(s_grace, parts.Time);
        await answered.CancelAsync();
        return await asking;
    }

    /// <summary>The map has the group on another silo.</summary>
    private bool IsElsewhere => maps.Map.CoordinatorOf(_groupId) is { } coordinator && !coordinator.Silo.Equals(parts.LocalSilo);

    /// <summary>For the gateway of this silo, on its threads: a heartbeat in between calls.</summary>
    private ConsumerGroupHeartbeatReply? TryAnswer(ConsumerGroupHeartbeat beat) => IsElsewhere ? null : _state.TryAnswer(beat, parts.NowMs);
}

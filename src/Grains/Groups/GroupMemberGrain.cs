using Granary.Abstractions;
using Granary.Abstractions.Groups;
using Granary.Grains.Placement;

namespace Granary.Grains.Groups;

/// <summary>
/// A member of a group of the consumer protocol. Key: <see cref="IGroupMemberGrain.KeyOf"/>. Nothing is persisted: the group keeps its members, and a new
/// activation asks it with the first heartbeat. Concurrency: one heartbeat at a time, so that one question to the group is open at the most; nudges and
/// questions about silence interleave. It lives on the silo that coordinates the group; where the group has moved on, it ends after the heartbeat, and
/// the next one finds it at its new place.
/// </summary>
[CoordinatedByMap]
internal sealed class GroupMemberGrain(GroupParts parts, ClusterMapSource maps) : Grain, IGroupMemberGrain
{
    private GroupMemberState _state = null!;
    private IGroupGrain _group = null!;
    private string _groupId = "";

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _state = new GroupMemberState(parts.ConsumerOptions, parts.NowMs);
        _groupId = IGroupMemberGrain.IdsOf(this.GetPrimaryKeyString())?.GroupId ?? "";
        _group = GrainFactory.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(_groupId));
        return Task.CompletedTask;
    }

    public async Task<ConsumerGroupHeartbeatReply> HeartbeatAsync(ConsumerGroupHeartbeat beat)
    {
        if (_state.Take(beat, parts.NowMs) is not { } reply)
        {
            reply = await _group.MemberHeartbeatAsync(beat);
            _state.Learn(reply);
        }

        var isGone = _state.Member is null;
        if (isGone || maps.Map.CoordinatorOf(_groupId) is { } coordinator && !coordinator.Silo.Equals(parts.LocalSilo))
            DeactivateOnIdle();
        return reply;
    }

    public Task NudgeAsync()
    {
        _state.Nudge();
        return Task.CompletedTask;
    }

    public Task<TimeSpan> SilenceAsync() => Task.FromResult(_state.SilenceAt(parts.NowMs));
}

using System.Collections.Concurrent;

namespace Granary.Abstractions.Groups;

/// <summary>
/// The members of groups (KIP-848) whose grains are active on this silo, each with a way to have a heartbeat answered at once that says nothing new: of ten
/// thousand a second nearly all are such, and each is spared a grain call by the gateway of the silo. In a process without groups it is empty. Safe for many
/// threads.
/// </summary>
public sealed class HostedMembers
{
    private readonly ConcurrentDictionary<(string GroupId, string MemberId), Func<ConsumerGroupHeartbeat, ConsumerGroupHeartbeatReply?>> _here = new();

    /// <param name="answer">The answer, or null where the member's grain must be asked; on any thread.</param>
    public void Add(string groupId, string memberId, Func<ConsumerGroupHeartbeat, ConsumerGroupHeartbeatReply?> answer) => _here[(groupId, memberId)] = answer;

    /// <summary>Forgets it, unless a later activation of the same member has taken its place.</summary>
    public void Remove(string groupId, string memberId, Func<ConsumerGroupHeartbeat, ConsumerGroupHeartbeatReply?> answer) =>
        _here.TryRemove(KeyValuePair.Create((groupId, memberId), answer));

    /// <returns>Null: ask the member's grain.</returns>
    public ConsumerGroupHeartbeatReply? Answer(string groupId, ConsumerGroupHeartbeat beat) =>
        _here.TryGetValue((groupId, beat.MemberId), out var answer) ? answer(beat) : null;
}

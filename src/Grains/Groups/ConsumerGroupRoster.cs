using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Granary.Abstractions;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>
/// Who is in a group, who has which partition and who shall have it. A partition has one owner: it is free again only when its owner gave
/// it back or is no longer a member. Remembers for whom there is news since it was last asked.
/// </summary>
internal sealed class ConsumerGroupRoster
{
    private readonly Dictionary<string, ConsumerGroupMember> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _byInstance = new(StringComparer.Ordinal);
    private readonly Dictionary<PartitionId, string> _owners = [];
    private readonly Dictionary<string, ImmutableArray<PartitionId>> _targets = new(StringComparer.Ordinal);
    private readonly Dictionary<PartitionId, string> _heirs = [];
    private readonly HashSet<string> _restless = new(StringComparer.Ordinal);

    public int Count => _members.Count;

    public IReadOnlyCollection<ConsumerGroupMember> Members => _members.Values;

    /// <summary>In how many bytes members and targets are kept.</summary>
    public long KeptBytes { get; private set; }

    /// <summary>Another one after every change of members or targets.</summary>
    public long Version { get; private set; }

    /// <summary>Something was put or removed since the last <see cref="TakeChanged"/>.</summary>
    private bool Changed { get; set; }

    public bool TryFind(string memberId, [NotNullWhen(true)] out ConsumerGroupMember? member) => _members.TryGetValue(memberId, out member);

    public ConsumerGroupMember? FindInstance(string instanceId) => _byInstance.TryGetValue(instanceId, out var memberId) ? _members[memberId] : null;

    /// <summary>
    /// Who calls by the classic protocol: a member that speaks it, which still stands for its instance id where it has one. A static member whose place another
    /// has taken is fenced, so that the two do not take turns.
    /// </summary>
    public ErrorCode FindClassic(GroupCaller caller, out ConsumerGroupMember? member)
    {
        _members.TryGetValue(caller.MemberId, out member);
        if (caller.InstanceId is { } instance)
        {
            if (FindInstance(instance) is not { } standing)
                return ErrorCode.UnknownMemberId;
            if (standing.MemberId != caller.MemberId)
                return ErrorCode.FencedInstanceId;
        }

        if (member?.Classic is null)
            return ErrorCode.UnknownMemberId;
        return member.MemberEpoch == caller.Generation ? ErrorCode.None : ErrorCode.IllegalGeneration;
    }

    public bool IsFree(PartitionId partition) => !_owners.ContainsKey(partition);

    public ImmutableArray<PartitionId> TargetOf(string memberId) => _targets.GetValueOrDefault(memberId, []);

    /// <exception cref="InvalidOperationException">It would own what another member owns: a defect.</exception>
    public void Put(ConsumerGroupMember member)
    {
        _members.TryGetValue(member.MemberId, out var before);
        if (ReferenceEquals(before, member))
            return;
        Change();
        KeptBytes += Groups.KeptBytes.Of(member) - (before is null ? 0 : Groups.KeptBytes.Of(before));
        _members[member.MemberId] = member;
        if (before?.InstanceId is not null && before.InstanceId != member.InstanceId)
            _byInstance.Remove(before.InstanceId);
        if (member.InstanceId is not null)
            _byInstance[member.InstanceId] = member.MemberId;
        if (before is not null)
            Release(before.Owned.Except(member.Owned), member.MemberId);
        foreach (var partition in member.Owned)
        {
            if (_owners.TryAdd(partition, member.MemberId) || _owners[partition] == member.MemberId)
                continue;
            throw new InvalidOperationException($"partition {partition} of member {member.MemberId} belongs to {_owners[partition]}");
        }
    }

    public void Remove(ConsumerGroupMember member)
    {
        Change();
        if (_members.Remove(member.MemberId, out var kept))
            KeptBytes -= Groups.KeptBytes.Of(kept);
        if (member.InstanceId is not null && _byInstance.GetValueOrDefault(member.InstanceId) == member.MemberId)
            _byInstance.Remove(member.InstanceId);
        if (_targets.Remove(member.MemberId, out var target))
        {
            KeptBytes -= Groups.KeptBytes.Of(target);
            foreach (var partition in target)
                _heirs.Remove(partition);
        }

        Release(member.Owned, member.MemberId);
        _restless.Add(member.MemberId);
    }

    /// <summary>A static member is another member from now on: what it had, and shall have, is that one's.</summary>
    public void Replace(ConsumerGroupMember before, ConsumerGroupMember after)
    {
        var target = TargetOf(before.MemberId);
        Remove(before with { Assigned = [], Revoking = [] });
        foreach (var partition in before.Owned)
            _owners.Remove(partition);
        SetTarget(after.MemberId, target);
        Put(after);
    }

    /// <summary>All targets anew; members whose target is another one have news.</summary>
    public void SetTargets(IReadOnlyDictionary<string, PartitionId[]> targets)
    {
        Change();
        _heirs.Clear();
        foreach (var (memberId, partitions) in targets)
        {
            var former = TargetOf(memberId);
            var isSame = former.SequenceEqual(partitions);
            if (!isSame)
                _restless.Add(memberId);
            SetTarget(memberId, isSame ? former : [.. partitions]);
        }
    }

    public void SetTarget(string memberId, ImmutableArray<PartitionId> partitions)
    {
        KeptBytes += Groups.KeptBytes.Of(partitions) - Groups.KeptBytes.Of(TargetOf(memberId));
        _targets[memberId] = partitions;
        foreach (var partition in partitions)
            _heirs[partition] = memberId;
    }

    public void Disturb(string memberId) => _restless.Add(memberId);

    /// <summary>For whom there is news, but for the one that is being answered.</summary>
    public ImmutableArray<string> TakeRestless(string? answered)
    {
        if (_restless.Count == 0)
            return [];
        var restless = _restless.Where(memberId => memberId != answered).Order(StringComparer.Ordinal).ToImmutableArray();
        _restless.Clear();
        return restless;
    }

    public bool TakeChanged()
    {
        var changed = Changed;
        Changed = false;
        return changed;
    }

    private void Change()
    {
        Changed = true;
        Version++;
    }

    private void Release(IEnumerable<PartitionId> partitions, string owner)
    {
        foreach (var partition in partitions)
        {
            _owners.Remove(partition);
            if (_heirs.TryGetValue(partition, out var heir) && heir != owner)
                _restless.Add(heir);
        }
    }
}

using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Granary.Abstractions;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>The members of a <see cref="ClassicGroup"/>, who leads them, and which protocols they share. In the order in which they came.</summary>
internal sealed class ClassicMembers
{
    // A rebalance timeout of nothing would have the group turn in circles within one instant.
    private static readonly TimeSpan s_shortestWait = TimeSpan.FromMilliseconds(10);

    private readonly OrderedDictionary<string, ClassicMember> _byId = [];
    private readonly Dictionary<string, string> _staticIds = [];
    private readonly Dictionary<string, int> _supporters = [];

    public int Count => _byId.Count;

    public IList<ClassicMember> All => _byId.Values;

    /// <summary>Null: nobody leads, for there is nobody.</summary>
    public string? LeaderId { get; set; }

    /// <summary>In how many bytes they are kept, with their metadata and shares.</summary>
    public long KeptBytes { get; private set; }

    /// <summary>The same before the next shares are given out.</summary>
    public long BytesWithoutShares => KeptBytes - _byId.Values.Sum(member => (long)member.Assignment.Length);

    public TimeSpan LongestRebalanceTimeout => _byId.Count == 0 ? TimeSpan.Zero : _byId.Values.Max(member => member.RebalanceTimeout);

    /// <summary>How long a rebalance waits for its members.</summary>
    public TimeSpan RebalanceWait => LongestRebalanceTimeout > s_shortestWait ? LongestRebalanceTimeout : s_shortestWait;

    public bool Has(string memberId) => _byId.ContainsKey(memberId);

    public bool TryGet(string memberId, [NotNullWhen(true)] out ClassicMember? member) => _byId.TryGetValue(memberId, out member);

    /// <summary>The member id that stands for that instance; null: none.</summary>
    public string? IdOfInstance(string instanceId) => _staticIds.GetValueOrDefault(instanceId);

    /// <summary>None where that member exists and, with an instance id, still stands for it.</summary>
    public ErrorCode Check(string memberId, string? instanceId)
    {
        if (instanceId is not null)
        {
            if (IdOfInstance(instanceId) is not { } current)
                return ErrorCode.UnknownMemberId;
            if (current != memberId)
                return ErrorCode.FencedInstanceId;
        }

        return Has(memberId) ? ErrorCode.None : ErrorCode.UnknownMemberId;
    }

    public void Add(ClassicMember member)
    {
        _byId.Add(member.MemberId, member);
        if (member.InstanceId is { } instance)
            _staticIds[instance] = member.MemberId;
        LeaderId ??= member.MemberId;
        KeptBytes += member.Weigh();
        Tally(member.Protocols, +1);
    }

    public void Remove(ClassicMember member)
    {
        if (!_byId.Remove(member.MemberId))
            return;
        KeptBytes -= member.KeptBytes;
        Tally(member.Protocols, -1);
        if (member.InstanceId is { } instance && IdOfInstance(instance) == member.MemberId)
            _staticIds.Remove(instance);
        if (LeaderId == member.MemberId)
            LeaderId = _byId.Count > 0 ? _byId.GetAt(0).Key : null;
    }

    /// <summary>The same member under another id: whoever uses the old one is fenced from here on.</summary>
    public void Rename(ClassicMember member, string memberId)
    {
        var place = _byId.IndexOf(member.MemberId);
        _byId.RemoveAt(place);
        _byId.Insert(place, memberId, member);
        if (LeaderId == member.MemberId)
            LeaderId = memberId;
        if (member.InstanceId is { } instance)
            _staticIds[instance] = memberId;
        member.MemberId = memberId;
        KeptBytes += member.Weigh();
    }

    public void Offer(ClassicMember member, ImmutableArray<GroupProtocol> protocols)
    {
        Tally(member.Protocols, -1);
        member.Protocols = protocols;
        Tally(protocols, +1);
        KeptBytes += member.Weigh();
    }

    /// <summary>Gives shares out; who is not named has none.</summary>
    public void Give(ImmutableArray<MemberAssignment> assignments)
    {
        foreach (var member in _byId.Values)
            Give(member, default);
        foreach (var (memberId, assignment) in assignments)
        {
            if (TryGet(memberId, out var member))
                Give(member, assignment);
        }
    }

    private void Give(ClassicMember member, ReadOnlyMemory<byte> assignment)
    {
        member.Assignment = assignment;
        KeptBytes += member.Weigh();
    }

    /// <summary>In how many bytes they would be kept with that join, and whether it adds to them.</summary>
    public (long Bytes, bool IsMore) With(JoinRequest request)
    {
        var known = request.InstanceId is { } instance && IdOfInstance(instance) is { } standing ? standing : request.MemberId;
        var before = TryGet(known, out var member) ? member.KeptBytes - member.Assignment.Length : 0;
        var more = Groups.KeptBytes.Of(request.MemberId, request.InstanceId, request.ClientId, request.ClientHost, request.Protocols) - before;
        return (KeptBytes + more, more > 0);
    }

    /// <summary>True: at least one of them is shared by all members.</summary>
    public bool Share(ImmutableArray<GroupProtocol> protocols) => protocols.Any(protocol => IsShared(protocol.Name));

    /// <summary>The shared protocol that most members like best; of equal ones the first by name.</summary>
    public string? Choose() => _byId.Values
        .Select(member => member.Protocols.FirstOrDefault(protocol => IsShared(protocol.Name)).Name)
        .Where(name => name is not null)
        .GroupBy(name => name)
        .OrderByDescending(votes => votes.Count())
        .ThenBy(votes => votes.Key, StringComparer.Ordinal)
        .FirstOrDefault()?.Key;

    /// <summary>Makes sure that one leads who waits for the next generation; false where nobody waits.</summary>
    public bool ElectJoined()
    {
        if (LeaderId is { } leader && _byId[leader].JoinTicket is not null)
            return true;
        if (_byId.Values.FirstOrDefault(member => member.JoinTicket is not null) is not { } joined)
            return false;
        LeaderId = joined.MemberId;
        return true;
    }

    private bool IsShared(string name) => _supporters.GetValueOrDefault(name) == _byId.Count;

    private void Tally(ImmutableArray<GroupProtocol> protocols, int change)
    {
        var names = new HashSet<string>();
        foreach (var protocol in protocols)
        {
            if (!names.Add(protocol.Name))
                continue;
            var count = _supporters.GetValueOrDefault(protocol.Name) + change;
            if (count > 0)
                _supporters[protocol.Name] = count;
            else
                _supporters.Remove(protocol.Name);
        }
    }
}

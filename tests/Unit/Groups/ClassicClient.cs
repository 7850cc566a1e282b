using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Granary.Abstractions.Groups;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Groups;

internal enum ClientPhase
{
    Outside,
    Joining,
    Joined,
    Syncing,
    Steady,
}

/// <summary>
/// A member's side of the classic protocol, as far as the group's invariants need it. An eager one has nothing once it joins; a cooperative one keeps what it has
/// until a share tells it otherwise, and then joins once more, so that others can be given what it gave up.
/// </summary>
internal sealed class ClassicClient(string name, string? instanceId, bool asksForId)
{
    public string Name { get; } = name;

    public string? InstanceId { get; } = instanceId;

    public bool IsStatic => InstanceId is not null;

    /// <summary>Speaks the newest versions: wants an id first, and may be told to skip its assignment.</summary>
    public bool AsksForId { get; } = asksForId;

    public bool IsAlive { get; set; } = true;

    public bool IsCooperative { get; init; }

    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan RebalanceTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The assignors it can use, the ones it likes best first.</summary>
    public ImmutableArray<string> Assignors { get; init; } = ["range", "roundrobin"];

    /// <summary>When the group last heard of it, or answered it.</summary>
    public TimeSpan HeardAt { get; set; }

    /// <summary>The generation before; -1: none.</summary>
    public int FormerGeneration { get; private set; } = -1;

    public ClientPhase Phase { get; set; }

    public string MemberId { get; private set; } = "";

    public int Generation { get; private set; } = -1;

    public string? ProtocolName { get; private set; }

    public bool SkipsAssignment { get; private set; }

    public ImmutableArray<JoinedMember> Leads { get; private set; } = [];

    public byte[] Assigned { get; private set; } = [];

    /// <summary>Another number is another subscription.</summary>
    public int Subscription { get; set; }

    public GroupCaller Caller => new(MemberId, InstanceId, Generation);

    public ImmutableArray<GroupProtocol> Protocols => [.. Assignors.Select(assignor => new GroupProtocol(assignor, Metadata))];

    /// <summary>A cooperative one's says what it owns, one byte for each partition, behind what the coordinator reads.</summary>
    private byte[] Metadata => [.. Subscribed($"t{Subscription}"), .. IsCooperative ? Assigned : []];

    /// <summary>A consumer's subscription, version 0.</summary>
    public static byte[] Subscribed(string topic)
    {
        var bytes = new byte[12 + topic.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(2), 1);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(6), (short)topic.Length);
        Encoding.ASCII.GetBytes(topic, bytes.AsSpan(8));
        return bytes;
    }

    public void Heard(JoinResult result)
    {
        Phase = ClientPhase.Outside;
        switch (result.Error)
        {
            case ErrorCode.None:
                if (result.Generation != Generation)
                    FormerGeneration = Generation;
                if (!IsCooperative)
                    Assigned = [];
                (MemberId, Generation, ProtocolName, Leads, SkipsAssignment) = (result.MemberId, result.Generation, result.ProtocolName, result.Members, result.SkipAssignment);
                Phase = ClientPhase.Joined;
                break;
            case ErrorCode.MemberIdRequired:
                MemberId = result.MemberId;
                break;
            default:
                Heard(result.Error);
                break;
        }
    }

    public void Heard(SyncResult result)
    {
        Phase = ClientPhase.Outside;
        Heard(result.Error);
        if (result.Error != ErrorCode.None)
            return;
        var gaveUp = IsCooperative && Assigned.Except(result.Assignment.ToArray()).Any();
        Assigned = result.Assignment.ToArray();
        Phase = gaveUp ? ClientPhase.Outside : ClientPhase.Steady;
    }

    public void Heard(ErrorCode error)
    {
        if (error == ErrorCode.None)
            return;
        if (!IsCooperative || error != ErrorCode.RebalanceInProgress)
            Assigned = [];
        Phase = ClientPhase.Outside;
        if (error is ErrorCode.UnknownMemberId)
            MemberId = "";
        if (error is ErrorCode.FencedInstanceId or ErrorCode.InconsistentGroupProtocol)
            IsAlive = false;
    }
}

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

/// <summary>A member's side of the classic protocol, as far as the group's invariants need it.</summary>
internal sealed class ClassicClient(string name, string? instanceId, bool asksForId)
{
    public string Name { get; } = name;

    public string? InstanceId { get; } = instanceId;

    public bool IsStatic => InstanceId is not null;

    /// <summary>Speaks the newest versions: wants an id first, and may be told to skip its assignment.</summary>
    public bool AsksForId { get; } = asksForId;

    public bool IsAlive { get; set; } = true;

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

    public ImmutableArray<GroupProtocol> Protocols => [new("range", Subscribed($"t{Subscription}")), new("roundrobin", Subscribed($"t{Subscription}"))];

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
        Assigned = result.Assignment.ToArray();
        Phase = ClientPhase.Steady;
    }

    public void Heard(ErrorCode error)
    {
        if (error == ErrorCode.None)
            return;
        Assigned = [];
        Phase = ClientPhase.Outside;
        if (error is ErrorCode.UnknownMemberId)
            MemberId = "";
        if (error == ErrorCode.FencedInstanceId)
            IsAlive = false;
    }
}

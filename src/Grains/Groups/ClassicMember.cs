using System.Collections.Immutable;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>A member of a <see cref="ClassicGroup"/>.</summary>
internal sealed class ClassicMember(string memberId, string? instanceId)
{
    /// <summary>Another one when a static member is replaced.</summary>
    public string MemberId { get; set; } = memberId;

    /// <summary>Null: dynamic.</summary>
    public string? InstanceId { get; } = instanceId;

    public bool IsStatic => InstanceId is not null;

    public string ClientId { get; set; } = "";

    public string ClientHost { get; set; } = "";

    public TimeSpan SessionTimeout { get; set; }

    public TimeSpan RebalanceTimeout { get; set; }

    /// <summary>In the order of its preference.</summary>
    public ImmutableArray<GroupProtocol> Protocols { get; set; } = [];

    /// <summary>Its share of the last generation that had shares: in one that waits for its leader, what it may still use.</summary>
    public ReadOnlyMemory<byte> Assignment { get; set; }

    /// <summary>The join that waits, or null.</summary>
    public long? JoinTicket { get; set; }

    /// <summary>The sync that waits, or null.</summary>
    public long? SyncTicket { get; set; }

    /// <summary>Has not been answered a join yet, and so cannot beat its heart.</summary>
    public bool IsNew { get; set; }

    /// <summary>Has not asked for its share of this generation yet.</summary>
    public bool OwesSync { get; set; }

    /// <summary>In how many bytes it is kept, as <see cref="Weigh"/> found last.</summary>
    public long KeptBytes { get; private set; }

    /// <summary>When it is taken for gone, unless it waits for an answer.</summary>
    public TimeSpan Deadline { get; set; }

    /// <summary>When it is to be taken for gone; never while it waits for us (but a new one, who may have left without a word).</summary>
    public TimeSpan EffectiveDeadline => (JoinTicket is not null && !IsNew) || SyncTicket is not null ? TimeSpan.MaxValue : Deadline;

    /// <summary>A kept member, with its whole session before it.</summary>
    public static ClassicMember Restore(ClassicMemberState kept, bool owesSync, TimeSpan now) => new(kept.MemberId, kept.InstanceId)
    {
        ClientId = kept.ClientId,
        ClientHost = kept.ClientHost,
        SessionTimeout = kept.SessionTimeout,
        RebalanceTimeout = kept.RebalanceTimeout,
        Protocols = [.. kept.Protocols],
        Assignment = kept.Assignment,
        OwesSync = owesSync,
        Deadline = now + kept.SessionTimeout,
    };

    public ClassicMemberState ToState() => new(
        MemberId, InstanceId, ClientId, ClientHost, SessionTimeout, RebalanceTimeout, [.. Protocols], Assignment);

    /// <summary>Measures it anew; by how many bytes it has grown.</summary>
    public long Weigh()
    {
        var before = KeptBytes;
        KeptBytes = Groups.KeptBytes.Of(MemberId, InstanceId, ClientId, ClientHost, Protocols) + Assignment.Length;
        return KeptBytes - before;
    }

    public ReadOnlyMemory<byte> MetadataFor(string? protocolName)
    {
        foreach (var protocol in Protocols)
        {
            if (protocol.Name == protocolName)
                return protocol.Metadata;
        }

        return default;
    }

    /// <summary>True: it offers what it offered before, in the same order with the same metadata.</summary>
    public bool Offers(ImmutableArray<GroupProtocol> protocols)
    {
        if (protocols.Length != Protocols.Length)
            return false;
        for (var index = 0; index < protocols.Length; index++)
        {
            if (protocols[index].Name != Protocols[index].Name || !protocols[index].Metadata.Span.SequenceEqual(Protocols[index].Metadata.Span))
                return false;
        }

        return true;
    }
}

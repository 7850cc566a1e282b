using Granary.Abstractions;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>Whether a join may come in, in the order in which Kafka asks.</summary>
internal static class ClassicJoinCheck
{
    public static ErrorCode Refuse(ClassicGroup group, IReadOnlyDictionary<string, TimeSpan> pending, JoinRequest request, GroupOptions options)
    {
        if (RefuseSize(request, options) is var size and not ErrorCode.None)
            return size;
        if (group.State == GroupState.Dead)
            return ErrorCode.NotCoordinator;
        if (FullBy(group.Members, pending.Count, request, options) is not null)
            return ErrorCode.GroupMaxSizeReached;
        if (!FitsProtocols(group, request))
            return ErrorCode.InconsistentGroupProtocol;
        return request.MemberId.Length == 0 ? ErrorCode.None : CheckKnown(group, pending, request);
    }

    /// <summary>What is wrong with a join, whatever group it is for.</summary>
    public static ErrorCode RefuseSize(JoinRequest request, GroupOptions options)
    {
        if (request.SessionTimeout < options.MinSessionTimeout || request.SessionTimeout > options.MaxSessionTimeout)
            return ErrorCode.InvalidSessionTimeout;
        return request.Protocols.Length > options.MaxProtocols || BytesOf(request) > options.MaxMetadataBytes ? ErrorCode.InvalidRequest : ErrorCode.None;
    }

    private static long BytesOf(JoinRequest request) => request.Protocols.Sum(protocol => (long)protocol.Metadata.Length);

    /// <summary>The limit that leaves no room for a join, by its setting's name; null: there is room.</summary>
    /// <param name="pending">Ids that were given out and have not joined yet.</param>
    public static (string Setting, long Value)? FullBy(ClassicMembers members, int pending, JoinRequest request, GroupOptions options)
    {
        if (members.With(request) is { IsMore: true } kept && kept.Bytes > options.MaxGroupBytes)
            return (nameof(options.MaxGroupBytes), options.MaxGroupBytes);
        if (members.Has(request.MemberId) || (request.InstanceId is { } instance && members.IdOfInstance(instance) is not null))
            return null;
        if (members.Count >= options.MaxMembers)
            return (nameof(options.MaxMembers), options.MaxMembers);
        var wantsId = request.MemberId.Length == 0 && request.RequiresKnownId && request.InstanceId is null;
        return wantsId && pending >= options.MaxPendingMembers ? (nameof(options.MaxPendingMembers), options.MaxPendingMembers) : null;
    }

    private static bool FitsProtocols(ClassicGroup group, JoinRequest request)
    {
        // No protocol has a zero character in its name, and PostgreSQL keeps none.
        if (group.Members.Count == 0)
            return request.ProtocolType.Length > 0 && !request.ProtocolType.Contains('\0') && request.Protocols.Length > 0;
        return request.ProtocolType == group.ProtocolType && group.Members.Share(request.Protocols);
    }

    private static ErrorCode CheckKnown(ClassicGroup group, IReadOnlyDictionary<string, TimeSpan> pending, JoinRequest request) =>
        pending.ContainsKey(request.MemberId)
            ? request.InstanceId is null ? ErrorCode.None : ErrorCode.UnknownMemberId
            : group.Members.Check(request.MemberId, request.InstanceId);
}

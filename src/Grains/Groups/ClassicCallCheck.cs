using Granary.Abstractions;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>Whether a member may do what it asks for now, in the order in which Kafka asks.</summary>
internal static class ClassicCallCheck
{
    /// <summary>It is a member, and of this generation.</summary>
    public static ErrorCode Caller(ClassicGroup group, GroupCaller caller)
    {
        if (group.State == GroupState.Dead)
            return ErrorCode.NotCoordinator;
        if (group.Members.Check(caller.MemberId, caller.InstanceId) is var refusal and not ErrorCode.None)
            return refusal;
        return caller.Generation == group.Generation ? ErrorCode.None : ErrorCode.IllegalGeneration;
    }

    public static ErrorCode Sync(ClassicGroup group, SyncRequest request, GroupOptions options)
    {
        if (Caller(group, request.Caller) is var refusal and not ErrorCode.None)
            return refusal;
        if (request.ProtocolType is { } type && type != group.ProtocolType)
            return ErrorCode.InconsistentGroupProtocol;
        if (group.State == GroupState.PreparingRebalance)
            return ErrorCode.RebalanceInProgress;
        if (request.ProtocolName is { } name && name != group.ProtocolName)
            return ErrorCode.InconsistentGroupProtocol;
        var bytes = request.Assignments.Sum(assignment => (long)assignment.Assignment.Length);
        return bytes > 0 && group.State == GroupState.CompletingRebalance && group.Members.BytesWithoutShares + bytes > options.MaxGroupBytes ? ErrorCode.UnknownServerError : ErrorCode.None;
    }

    public static ErrorCode Commit(ClassicGroup group, GroupCaller caller)
    {
        if (group.State == GroupState.Dead)
            return ErrorCode.NotCoordinator;
        if (group.State == GroupState.Empty && caller.Generation < 0)
            return ErrorCode.None;
        if (caller is { Generation: < 0, MemberId: "", InstanceId: null })
            return ErrorCode.UnknownMemberId;
        if (group is { Generation: 0, State: GroupState.Empty })
            return ErrorCode.IllegalGeneration;
        if (Caller(group, caller) is var refusal and not ErrorCode.None)
            return refusal;
        return group.State == GroupState.CompletingRebalance ? ErrorCode.RebalanceInProgress : ErrorCode.None;
    }
}

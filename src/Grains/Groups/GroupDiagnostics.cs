using Granary.Abstractions.Groups;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Granary.Grains.Groups;

/// <summary>What groups tell the operator.</summary>
internal sealed partial class GroupDiagnostics(ILogger<GroupDiagnostics> logger)
{
    [LoggerMessage(1, LogLevel.Error, "Group {Group} could not be saved; it is read anew")]
    public partial void SaveFailed(Exception failure, string group);

    [LoggerMessage(2, LogLevel.Information, "Group {Group} is {State} in generation {Generation} with {Members} members")]
    public partial void Changed(string group, GroupState state, int generation, int members);

    [LoggerMessage(3, LogLevel.Warning, "Group {Group} is fenced or its positions are in doubt ({Outcome}); it is opened anew")]
    public partial void WriteFailed(string group, object outcome);

    [LoggerMessage(4, LogLevel.Warning, "Group {Group} cannot be taken over: {Reason}")]
    public partial void NotOpened(string group, string reason);

    [LoggerMessage(5, LogLevel.Information, "Group {Group}: {Offsets} positions have expired")]
    public partial void Expired(string group, int offsets);

    [LoggerMessage(6, LogLevel.Warning, "Looking for expired positions failed; the next run tries again")]
    public partial void SweepFailed(Exception failure);

    [LoggerMessage(7, LogLevel.Warning, "Group {Group} did not move to {Silo}; it is tried again")]
    public partial void NotMoved(Exception failure, string group, SiloAddress silo);

    [LoggerMessage(8, LogLevel.Warning, "Group {Group} could not be listed anew; its state in lists is late")]
    public partial void NotNoted(Exception failure, string group);

    [LoggerMessage(9, LogLevel.Warning, "Group {Group} could not be opened before anybody asks for it; it is tried again")]
    public partial void NotRevived(Exception failure, string group);

    [LoggerMessage(13, LogLevel.Warning, "The groups that this silo is to coordinate could not be listed; it is tried again")]
    public partial void NotListed(Exception failure);

    [LoggerMessage(14, LogLevel.Warning, "Group {Group} was deleted, but plans to reset it are still kept")]
    public partial void PlansNotForgotten(Exception failure, string group);

    [LoggerMessage(10, LogLevel.Debug, "Group {Group} cannot ask for member {Member}, of which nothing was heard")]
    public partial void MemberUnreachable(Exception failure, string group, string member);

    [LoggerMessage(12, LogLevel.Warning, "Group {Group} refuses members: it is at its limit Granary:Groups:{Setting} of {Limit}. Said once a minute at most")]
    public partial void Full(string group, string setting, long limit);

    [LoggerMessage(11, LogLevel.Error, "Group {Group} could not decide about member {Member}, of which nothing was heard; it is tried again")]
    public partial void MemberNotRemoved(Exception defect, string group, string member);
}

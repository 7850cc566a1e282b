using Microsoft.Extensions.Logging;

namespace Granary.Abstractions.Subscriptions;

internal static partial class SubscriptionDiagnostics
{
    [LoggerMessage(1, LogLevel.Warning, "Group {Group}: grain {Grain} failed on {Partition} offsets {First} to {Last}, attempt {Attempt}; they are tried again")]
    public static partial void Failed(ILogger logger, string group, string grain, string partition, long first, long last, int attempt, Exception failure);

    [LoggerMessage(2, LogLevel.Error, "Group {Group}: grain {Grain} failed on {Partition} offsets {First} to {Last} too often; they are LEFT OUT")]
    public static partial void Skipped(ILogger logger, string group, string grain, string partition, long first, long last, Exception failure);

    [LoggerMessage(3, LogLevel.Error, "Group {Group}: grain {Grain} failed on {Partition} offset {First} too often; the partition STANDS STILL there until it is assigned anew")]
    public static partial void Stopped(ILogger logger, string group, string grain, string partition, long first, Exception failure);

    [LoggerMessage(4, LogLevel.Warning, "Group {Group}: the subscription of {Subscriber} to {Topic} was interrupted and goes on: {Reason}")]
    public static partial void Interrupted(ILogger logger, string group, string subscriber, string topic, string reason, Exception failure);

    [LoggerMessage(5, LogLevel.Warning, "Group {Group}: offsets of {Topic} were not committed; the next commit says them again: {Reason}")]
    public static partial void NotCommitted(ILogger logger, string group, string topic, string reason, Exception failure);

    [LoggerMessage(6, LogLevel.Warning, "The time to stop was over before all subscriptions had left their groups; what they did not commit comes again")]
    public static partial void CutOff(ILogger logger);
}

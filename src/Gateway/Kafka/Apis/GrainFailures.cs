using System.Data.Common;
using System.Net.Sockets;
using Orleans.Runtime;

namespace Granary.Gateway.Kafka.Apis;

/// <summary>
/// Tells a grain call that failed because something was away (the client tries again) from one that failed by our own fault.
/// Refusals are values in grains' answers and never come by here.
/// </summary>
internal static class GrainFailures
{
    /// <summary>True: a silo, the network or PostgreSQL was away, or too slow; what the call did is unknown.</summary>
    public static bool IsUnavailable(Exception failure) => failure switch
    {
        TimeoutException or OrleansException or SocketException or IOException or DbException or OperationCanceledException => true,
        AggregateException many => many.InnerExceptions.All(IsUnavailable),
        _ => failure.InnerException is { } inner && IsUnavailable(inner),
    };

    /// <summary><paramref name="whenUnavailable"/>, or UNKNOWN_SERVER_ERROR for a defect.</summary>
    public static ErrorCode ToErrorCode(Exception failure, ErrorCode whenUnavailable) =>
        IsUnavailable(failure) ? whenUnavailable : ErrorCode.UnknownServerError;
}

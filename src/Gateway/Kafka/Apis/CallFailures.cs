using Microsoft.Extensions.Logging;

namespace Granary.Gateway.Kafka.Apis;

/// <summary>
/// Turns the exception of a call to the catalog, or to whoever gives out producer ids, into what the client is told, and tells people, not
/// too often. <see cref="PartitionFailures"/> does the same for partitions.
/// </summary>
internal sealed class CallFailures(ILogger<CallFailures> log, TimeProvider time)
{
    private const int LinesPerInterval = 10;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);

    private readonly LogAllowance _allowance = new(time, LinesPerInterval, s_interval);

    /// <summary><paramref name="whenUnavailable"/> where something was away; UNKNOWN_SERVER_ERROR for a defect.</summary>
    /// <param name="what">What was tried, for people.</param>
    public ErrorCode ToErrorCode(string what, Exception failure, ErrorCode whenUnavailable)
    {
        var answer = GrainFailures.ToErrorCode(failure, whenUnavailable);
        if (_allowance.TryTake(out var withheld))
        {
            if (answer == whenUnavailable)
                log.CallUnanswered(what, failure.Message, answer, withheld);
            else
                log.CallFailed(what, answer, withheld, failure);
        }

        return answer;
    }
}

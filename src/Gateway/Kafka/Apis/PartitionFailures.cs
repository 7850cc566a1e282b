using Granary.Abstractions.Partitions;
using Microsoft.Extensions.Logging;

namespace Granary.Gateway.Kafka.Apis;

/// <summary>Turns the exception of a partition's call into what the client is told, and tells people, not too often.</summary>
internal sealed class PartitionFailures(ILogger<PartitionFailures> log, TimeProvider time)
{
    private const int LinesPerInterval = 10;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);

    private readonly LogAllowance _allowance = new(time, LinesPerInterval, s_interval);

    /// <summary>
    /// Where something was away, by default NOT_LEADER_OR_FOLLOWER: the client looks for the leader again and repeats. UNKNOWN_SERVER_ERROR for a defect.
    /// </summary>
    public ErrorCode ToErrorCode(PartitionId partition, Exception failure, ErrorCode whenUnavailable = ErrorCode.NotLeaderOrFollower)
    {
        var answer = GrainFailures.ToErrorCode(failure, whenUnavailable);
        if (_allowance.TryTake(out var withheld))
        {
            if (answer == whenUnavailable)
                log.PartitionUnavailable(partition.ToKey(), failure.Message, answer, withheld);
            else
                log.PartitionDefect(partition.ToKey(), answer, withheld, failure);
        }

        return answer;
    }
}

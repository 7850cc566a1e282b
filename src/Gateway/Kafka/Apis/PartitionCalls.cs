using Granary.Abstractions.Partitions;
using Microsoft.Extensions.Options;

namespace Granary.Gateway.Kafka.Apis;

/// <param name="AskAsync">Asks the partition's grain and writes down its answer.</param>
/// <param name="Fail">Writes down that the call itself failed.</param>
internal readonly record struct PartitionCall(PartitionId Partition, Func<IPartitionGrain, Task> AskAsync, Action<ErrorCode> Fail);

/// <summary>
/// Grain calls of the requests that name many partitions at once but are not the hot path: at most
/// <see cref="KafkaOptions.MaxPartitionCallsPerRequest"/> of one request are under way at a time.
/// </summary>
internal sealed class PartitionCalls(IGrainFactory grains, IOptions<KafkaOptions> options, PartitionFailures failures)
{
    /// <summary>Makes all calls; one that fails hinders none of the others.</summary>
    public Task MakeAsync(RequestContext context, IReadOnlyCollection<PartitionCall> calls)
    {
        if (calls.Count == 0)
            return Task.CompletedTask;
        var bound = new ParallelOptions
        {
            MaxDegreeOfParallelism = options.Value.MaxPartitionCallsPerRequest,
            CancellationToken = context.Aborted,
        };
        return Parallel.ForEachAsync(calls, bound, async (call, _) => await MakeAsync(call));
    }

    private async Task MakeAsync(PartitionCall call)
    {
        try
        {
            await call.AskAsync(grains.GetGrain<IPartitionGrain>(call.Partition.ToKey()));
        }
        catch (Exception failure)
        {
            call.Fail(failures.ToErrorCode(call.Partition, failure));
        }
    }
}

using Granary.Abstractions.Partitions;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace Granary.Gateway.Http;

/// <summary>Calls of grains, made again while a partition moves or is being opened or a silo dies, until <see cref="HttpOptions.RequestTimeout"/> is over.</summary>
internal sealed class PartitionAsk(IGrainFactory grains, IOptions<HttpOptions> options, TimeProvider time)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_glance = TimeSpan.FromSeconds(2);

    /// <summary>Calls until the answer's code is not one that passes by itself. An exception counts as such a code where <paramref name="mayRepeat"/>.</summary>
    public Task<T> AskAsync<T>(PartitionId partition, Func<IPartitionGrain, Task<T>> call, Func<T, ErrorCode> errorOf, bool mayRepeat, CancellationToken cancellation)
    {
        var grain = grains.GetGrain<IPartitionGrain>(partition.ToKey());
        return AskAsync($"Partition {partition.Index}", () => call(grain), errorOf, mayRepeat, cancellation);
    }

    /// <inheritdoc cref="AskAsync{T}(PartitionId, Func{IPartitionGrain, Task{T}}, Func{T, ErrorCode}, bool, CancellationToken)"/>
    /// <param name="who">Is asked, for people.</param>
    public async Task<T> AskAsync<T>(string who, Func<Task<T>> call, Func<T, ErrorCode> errorOf, bool mayRepeat, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        for (var pause = s_pause; ; pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause)
        {
            var left = options.Value.RequestTimeout - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
                throw Problem.Of(ErrorCode.RequestTimedOut, $"{who} did not answer within {options.Value.RequestTimeout}.");
            try
            {
                var answer = await call().WaitAsync(left, time, cancellation);
                if (!Passes(errorOf(answer)))
                    return answer;
            }
            catch (Exception lost) when (mayRepeat && lost is OrleansException or TimeoutException)
            {
                // Its silo died, or it moves: the call comes again.
            }

            await Task.Delay(pause, time, cancellation);
        }
    }

    /// <summary>The offset; -1 where no record has that timestamp or a later one.</summary>
    public async Task<long> FindOffsetAsync(PartitionId partition, OffsetQuery query, CancellationToken cancellation)
    {
        var found = await AskAsync(partition, grain => grain.FindOffsetAsync(query), answer => answer.Error, mayRepeat: true, cancellation);
        return found.Error == ErrorCode.None ? found.Offset : throw Problem.Of(found.Error, $"Partition {partition.Index} cannot be asked now.");
    }

    /// <summary>Until the log goes on behind that offset, or the time is over, or something may have happened: read again in any case.</summary>
    /// <param name="reader">Who waits, for people.</param>
    public async Task WaitAsync(PartitionId partition, long offset, TimeSpan wait, string reader, CancellationToken cancellation)
    {
        var step = wait < s_longestWait ? wait : s_longestWait;
        try
        {
            await grains.GetGrain<IPartitionGrain>(partition.ToKey()).WaitAsync(new WaitRequest(Guid.NewGuid(), offset, step, ClientId: reader)).WaitAsync(step + s_glance, time, cancellation);
        }
        catch (Exception lost) when (lost is OrleansException or TimeoutException)
        {
            await Task.Delay(s_pause, time, cancellation);
        }
    }

    public async Task<PartitionDescription> DescribeAsync(PartitionId partition)
    {
        var described = await AskAsync(partition, grain => grain.DescribeAsync(), answer => answer.Error, mayRepeat: true, CancellationToken.None);
        return described.Error == ErrorCode.None ? described : throw Problem.Of(described.Error, $"Partition {partition.Index} cannot be described now.");
    }

    /// <summary>Null where the partition does not answer at once: one that is away must not hide the others.</summary>
    public async Task<PartitionDescription?> TryDescribeAsync(PartitionId partition)
    {
        try
        {
            var described = await grains.GetGrain<IPartitionGrain>(partition.ToKey()).DescribeAsync().WaitAsync(s_glance, time);
            return described.Error == ErrorCode.None ? described : null;
        }
        catch (Exception lost) when (lost is OrleansException or TimeoutException)
        {
            return null;
        }
    }

    /// <summary>Refusals after which nothing was done and another try may be taken.</summary>
    private static bool Passes(ErrorCode error) => error is ErrorCode.NotLeaderOrFollower or ErrorCode.LeaderNotAvailable or ErrorCode.NotEnoughReplicas
        or ErrorCode.UnknownLeaderEpoch or ErrorCode.FencedLeaderEpoch or ErrorCode.CoordinatorNotAvailable;
}

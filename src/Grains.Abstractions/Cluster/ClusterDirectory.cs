namespace Granary.Abstractions.Cluster;

/// <summary>This process's copy of the cluster's map, kept fresh by a long poll on <see cref="IClusterMapGrain"/>. Safe for many threads.</summary>
public sealed class ClusterDirectory(IGrainFactory grains, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan s_pollWait = TimeSpan.FromSeconds(5);

    /// <summary>A poll that takes longer hangs on a silo that is gone without a word.</summary>
    private static readonly TimeSpan s_pollLimit = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _starting = new();
    private volatile ClusterMap _map = ClusterMap.Empty;
    private Task? _following;

    /// <summary>The newest map heard of; empty before the first.</summary>
    public ClusterMap Map => _map;

    /// <summary>Starts to follow, once.</summary>
    public void Start()
    {
        lock (_starting)
            _following ??= Task.Run(FollowAsync);
    }

    /// <summary>Follows no longer; what is known stays known. To be called before Orleans stops: a long poll would hinder it.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        if (_following is { } following)
            await following;
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task FollowAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                // Asked for each time: a service's silo that starts together with Granary's may know none yet that has such a grain.
                var grain = grains.GetGrain<IClusterMapGrain>(IClusterMapGrain.Key);
                _map = await grain.WatchAsync(_map.Fingerprint, s_pollWait, _stopping.Token).WaitAsync(s_pollLimit, time, _stopping.Token);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception)
            {
                // The silo that was asked is gone, or none is there yet: the last map is the best there is, and another silo is asked.
                await Task.Delay(s_retryDelay, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}

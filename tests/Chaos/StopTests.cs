using System.Diagnostics;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Topics;
using Granary.Support;

namespace Granary.Chaos;

/// <summary>A graceful stop of the real program, while others wait for its answers.</summary>
[Collection(ClusterUnderFaults.Name)]
public sealed class StopTests
{
    private static readonly TimeSpan s_longWait = TimeSpan.FromMinutes(5);

    /// <summary>A tenth of it is usual. A poll that stays for its time holds a stop up until the host gives up waiting, which is after half a minute.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task AStop_IsNotHeldUpByLongPolls()
    {
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Silos = 1 });
        await using var service = await ClusterClient.ConnectAsync(cluster);
        await ChaosTopic.CreateAsync(cluster.KafkaBootstrap, 1);
        var catalog = service.Grains.GetGrain<ITopicCatalogGrain>(ITopicCatalogGrain.Key);
        var known = (await catalog.WatchAsync(0, TimeSpan.Zero)).Version;
        using var ending = new CancellationTokenSource();
        var watching = catalog.WatchAsync(known, s_longWait);
        var following = FollowMapAsync(service.Grains.GetGrain<IClusterMapGrain>(IClusterMapGrain.Key), ending.Token);

        // An answer behind it: what was asked before waits in the silo by now.
        await catalog.WatchAsync(0, TimeSpan.Zero);
        Assert.False(watching.IsCompleted);
        var clock = Stopwatch.StartNew();
        Assert.Equal(0, await cluster[0].StopAsync());
        Assert.True(clock.Elapsed < s_patience, $"the stop took {clock.Elapsed}");
        Assert.Equal(known, (await watching).Version);
        await ending.CancelAsync();
        await following;
    }

    /// <summary>As a gateway at the edge does: asks again as soon as it has an answer.</summary>
    private static async Task FollowMapAsync(IClusterMapGrain grain, CancellationToken cancellation)
    {
        var known = ClusterMap.Empty.Fingerprint;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                known = (await grain.WatchAsync(known, s_longWait, cancellation).WaitAsync(cancellation)).Fingerprint;
            }
            catch (Exception) when (!cancellation.IsCancellationRequested)
            {
                // The silo is gone.
                await Task.Delay(TimeSpan.FromMilliseconds(100), cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}

using Granary.Support;

namespace Granary.Chaos;

/// <summary>Three silos, in networks of their own where this machine allows it.</summary>
public sealed class ThreeSilosFixture : IAsyncLifetime
{
    private ClusterProcess? _cluster;

    public ClusterProcess Cluster => _cluster!;

    /// <summary>Null where there can be none.</summary>
    public SiloNetworks? Networks { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Networks = SiloNetworks.Missing is null ? SiloNetworks.Create(3) : null;
        _cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Networks = Networks });
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
        Networks?.Dispose();
    }
}

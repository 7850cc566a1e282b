using Microsoft.Extensions.Hosting;

namespace Granary.Grains.Storage;

/// <summary>Starts the store before whatever is added after it, and stops it after that has stopped.</summary>
internal sealed class StorageStarter(PostgresPartitionStore store, PostgresGroupStore groups) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        StorageMetrics.ShowNoFailures();
        await store.StartAsync(cancellationToken);
        store.Keeper.Start();
        groups.Start();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await groups.StopAsync(cancellationToken);
        await store.Keeper.StopAsync();
        await store.StopAsync(cancellationToken);
    }
}

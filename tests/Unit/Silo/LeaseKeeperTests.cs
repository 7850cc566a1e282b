using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Granary.Silo.Clustering;
using Granary.Support.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orleans.Runtime;

namespace Granary.Unit.Silo;

public sealed class LeaseKeeperTests
{
    /// <summary>A background part that throws takes the silo with it, and all silos at once where PostgreSQL's name is gone.</summary>
    [Fact]
    public async Task Keep_WherePostgresHasNoAddressAnyMore_GoesOnWithoutALease()
    {
        var clock = new FakeClock();
        var lease = new SiloLease(clock);
        await using var source = NpgsqlDataSource.Create("Host=postgres.invalid;Username=granary;Timeout=2");
        using var keeper = new LeaseKeeper(
            source, new SiloStanding("granary", "127.0.0.1", 11111, 1), lease, clock, new NoEnd(), new ClusteringDiagnostics(NullLogger<ClusteringDiagnostics>.Instance));

        await keeper.StartAsync(TestContext.Current.CancellationToken);

        Assert.False(lease.IsValid);
        Assert.False(keeper.ExecuteTask!.IsCompleted);
        await keeper.StopAsync(TestContext.Current.CancellationToken);
        Assert.False(keeper.ExecuteTask.IsFaulted);
    }

    private sealed class NoEnd : IFatalErrorHandler
    {
        public bool IsUnexpected(Exception exception) => true;

        public void OnFatalException(object? sender, string? context, Exception? exception) => Assert.Fail($"ended: {context}");
    }
}

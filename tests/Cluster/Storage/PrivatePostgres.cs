using Granary.Cluster.Storage;
using Granary.Grains.Storage;
using Granary.Silo.Postgres;
using Npgsql;
using Xunit;

[assembly: AssemblyFixture(typeof(PrivatePostgres))]

namespace Granary.Cluster.Storage;

/// <summary>A PostgreSQL of the tests' own in a temporary folder, with a database for each test.</summary>
public sealed class PrivatePostgres : IAsyncLifetime
{
    // Not a private folder: as root the server runs as an ordinary user, who has to pass through.
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"granary-test-{Guid.NewGuid():N}");
    private EmbeddedPostgres? _server;
    private int _databases;

    private EmbeddedPostgres Server => _server ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync() => _server = await EmbeddedPostgres.StartAsync(_folder);

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await Server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Ends the postmaster without notice; its sessions end when they see it gone.</summary>
    public async Task KillAsync()
    {
        Server.Kill();
        while (Server.ProcessId is not null)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>Starts it again after <see cref="KillAsync"/>; takes up what sessions of the former one still hold up.</summary>
    public async Task StartAgainAsync()
    {
        while (true)
        {
            try
            {
                await Server.EnsureRunningAsync();
                return;
            }
            catch (PostgresStartException)
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>A new empty database.</summary>
    public async Task<NpgsqlDataSource> CreateDatabaseAsync()
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await using var admin = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(Server.ConnectionString) { Pooling = false });
        await using var create = admin.CreateCommand($"CREATE DATABASE {name}");
        await create.ExecuteNonQueryAsync();
        var own = new NpgsqlConnectionStringBuilder(Server.ConnectionString) { Database = name, MaxPoolSize = 40 };
        return NpgsqlDataSource.Create(StorageHosting.Tune(own.ConnectionString));
    }
}

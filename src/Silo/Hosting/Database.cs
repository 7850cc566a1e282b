using Granary.Grains.Storage;
using Granary.Silo.Postgres;
using Npgsql;

namespace Granary.Silo.Hosting;

/// <summary>The PostgreSQL this silo works on: the one of the connection string, or one of its own.</summary>
internal sealed class Database : IAsyncDisposable
{
    private readonly EmbeddedPostgres? _embedded;
    private PostgresWatch? _watch;

    private Database(EmbeddedPostgres? embedded, string connectionString, string description)
    {
        _embedded = embedded;
        ConnectionString = connectionString;
        Description = description;
        Source = new NpgsqlDataSourceBuilder(connectionString).Build();
    }

    public string ConnectionString { get; }

    public NpgsqlDataSource Source { get; }

    /// <summary>Where the data lies, for people; without a password.</summary>
    public string Description { get; }

    /// <exception cref="PostgresStartException">The embedded server cannot run.</exception>
    /// <exception cref="NpgsqlException">The given server cannot be reached.</exception>
    public static async Task<Database> OpenAsync(string? connectionString, string dataFolder, CancellationToken cancellation)
    {
        if (!string.IsNullOrWhiteSpace(connectionString))
        {
            var given = new NpgsqlConnectionStringBuilder(connectionString);
            var database = new Database(null, Complete(connectionString), $"{given.Host}:{given.Port}, database {given.Database ?? given.Username}");
            await using var probe = await database.Source.OpenConnectionAsync(cancellation);
            return database;
        }

        if (OperatingSystem.IsWindows())
            throw new PostgresStartException("On Windows Granary does not start a PostgreSQL of its own: name a running one in ConnectionStrings__Granary.");
        var embedded = await EmbeddedPostgres.StartAsync(dataFolder);
        var own = new Database(embedded, Complete(embedded.ConnectionString), $"embedded, data in {embedded.DataFolder}");
        own._watch = new PostgresWatch(embedded);
        return own;
    }

    public async ValueTask DisposeAsync()
    {
        if (_watch is not null)
            await _watch.DisposeAsync();
        await Source.DisposeAsync();
        if (_embedded is not null)
            await _embedded.DisposeAsync();
    }

    private static string Complete(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(StorageHosting.Tune(connectionString)) { ApplicationName = "granary" };
        builder.SearchPath = $"{OrleansStorageSchema.Schema},public";
        return builder.ConnectionString;
    }
}

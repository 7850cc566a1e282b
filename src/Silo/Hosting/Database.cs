using Granary.Gateway.Hosting;
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
    /// <exception cref="StartException">The given server cannot be reached, or refuses us.</exception>
    public static async Task<Database> OpenAsync(string? connectionString, string dataFolder, CancellationToken cancellation)
    {
        if (!string.IsNullOrWhiteSpace(connectionString))
            return await OpenGivenAsync(connectionString, cancellation);

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

    private static async Task<Database> OpenGivenAsync(string connectionString, CancellationToken cancellation)
    {
        Database database;
        try
        {
            var given = new NpgsqlConnectionStringBuilder(connectionString);
            database = new Database(null, Complete(connectionString), $"{given.Host}:{given.Port}, database {given.Database ?? given.Username}");
        }
        catch (ArgumentException failure)
        {
            // Not the string itself: there may be a password in it.
            throw new StartException(ExitCode.WrongSettings, $"ConnectionStrings__Granary is no connection string for PostgreSQL: {failure.Message}");
        }

        try
        {
            await using var probe = await database.Source.OpenConnectionAsync(cancellation);
            return database;
        }
        catch (Exception failure) when (PostgresAway.Explains(failure))
        {
            await database.DisposeAsync();
            throw new StartException(ExitCode.NoPostgres, $"ConnectionStrings__Granary ({database.Description}): {failure.Message}");
        }
    }

    private static string Complete(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(StorageHosting.Tune(connectionString)) { ApplicationName = "granary" };
        builder.SearchPath = $"{OrleansStorageSchema.Schema},public";
        return builder.ConnectionString;
    }
}

using Npgsql;

namespace Granary.Silo.Clustering;

/// <summary>
/// Connections for the small questions by which silos know that they live and others do. A connection whose packets are lost would keep such a question for
/// Npgsql's 15 and 30 s, and a silo that was cut off from PostgreSQL for a moment would come back that much later.
/// </summary>
internal sealed class HurriedQuestions(string connectionString) : IAsyncDisposable
{
    /// <summary>For the connection, and again for the answer. Too small: a PostgreSQL that is slow for a moment counts as gone.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Pooled: for what is asked again and again.</summary>
    public NpgsqlDataSource Source { get; } = NpgsqlDataSource.Create(Hurry(connectionString).ConnectionString);

    /// <summary>For a connection of one's own.</summary>
    public string Unpooled { get; } = UnpooledOf(connectionString);

    /// <summary>The same for who has no host to be composed in yet.</summary>
    public static string UnpooledOf(string connectionString)
    {
        var unpooled = Hurry(connectionString);
        unpooled.Pooling = false;
        return unpooled.ConnectionString;
    }

    public ValueTask DisposeAsync() => Source.DisposeAsync();

    /// <summary>Who gives up does not wait for PostgreSQL to say that it has given up too: it may be out of reach.</summary>
    private static NpgsqlConnectionStringBuilder Hurry(string connectionString) => new(connectionString)
    {
        Timeout = (int)Patience.TotalSeconds,
        CommandTimeout = (int)Patience.TotalSeconds,
        CancellationTimeout = -1,
    };
}

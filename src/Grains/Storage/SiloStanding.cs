using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// This silo in Orleans' table of members. One that was declared dead while it worked on goes on until it notices: then its partitions and groups are
/// open elsewhere, and taking them back would leave the rightful owner with a log that is not the newest, which nobody tells it before its next write.
/// </summary>
/// <param name="Generation">Of this run of the process.</param>
public sealed record SiloStanding(string ClusterId, string Address, int Port, int Generation)
{
    /// <summary>
    /// An error where the silo is dead, so that the transaction is undone. The row is locked: who declares it dead afterwards waits for what it opens now.
    /// 6: Orleans' SiloStatus.Dead.
    /// </summary>
    private const string IsMember = """
        SELECT 1 / count(*) FROM (SELECT FROM granary.orleansmembershiptable
            WHERE deploymentid = $1 AND address = $2 AND port = $3 AND generation = $4 AND status <> 6 FOR SHARE) AS member
        """;

    /// <summary>Runs the batch in one transaction, provided that the silo is a member; the reader stands at the batch's first result.</summary>
    /// <param name="standing">Null: the process is in no cluster that is kept in this database.</param>
    /// <exception cref="StoreUnavailableException">The silo was declared dead: nothing was done.</exception>
    internal static async Task<NpgsqlDataReader> ExecuteAsync(SiloStanding? standing, NpgsqlBatch batch, CancellationToken cancellation)
    {
        if (standing is null)
            return await batch.ExecuteReaderAsync(cancellation);
        batch.BatchCommands.Insert(0, new NpgsqlBatchCommand(IsMember)
        {
            Parameters =
            {
                new() { Value = standing.ClusterId }, new() { Value = standing.Address }, new() { Value = standing.Port }, new() { Value = standing.Generation },
            },
        });
        try
        {
            var reader = await batch.ExecuteReaderAsync(cancellation);
            await reader.NextResultAsync(cancellation);
            return reader;
        }
        catch (PostgresException dead) when (dead.SqlState == PostgresErrorCodes.DivisionByZero)
        {
            throw new StoreUnavailableException("This silo is no member of its cluster any more, and opens nothing.", dead);
        }
    }
}

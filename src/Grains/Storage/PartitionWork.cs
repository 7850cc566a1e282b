using Granary.Abstractions.Partitions;
using Npgsql;
using NpgsqlTypes;

namespace Granary.Grains.Storage;

/// <summary>
/// The rare writes to a partition beside appends. Each is one round trip of statements that run in one transaction, the first of which
/// locks the head under the owner's epoch; the others then see what a concurrent flush committed. All are safe to repeat.
/// </summary>
internal sealed class PartitionWork(SessionPool work, TimeProvider time, StorageDiagnostics diagnostics)
{
    // A log whose start reaches its end has no active segment any more, so that nothing holds its slab.
    private const string AdvanceHead = """
        UPDATE granary.heads SET
            log_start_offset = greatest(log_start_offset, least($3, next_offset)),
            slab_id = CASE WHEN $3 >= next_offset THEN 0 ELSE slab_id END,
            segment_bytes = CASE WHEN $3 >= next_offset THEN 0 ELSE segment_bytes END
        WHERE partition_id = $1 AND leader_epoch = $2 RETURNING partition_id
        """;

    private const string ForgetSegments = """
        DELETE FROM granary.segments s USING granary.heads h
        WHERE h.partition_id = $1 AND h.leader_epoch = $2 AND s.partition_id = $1 AND s.end_offset <= h.log_start_offset
        """;

    private const string ForgetEpochs = """
        DELETE FROM granary.leader_epochs e USING granary.heads h
        WHERE h.partition_id = $1 AND h.leader_epoch = $2 AND e.partition_id = $1 AND EXISTS (SELECT FROM granary.leader_epochs later
            WHERE later.partition_id = $1 AND later.leader_epoch > e.leader_epoch AND later.start_offset <= h.log_start_offset)
        """;

    private const string LockHead = "SELECT partition_id FROM granary.heads WHERE partition_id = $1 AND leader_epoch = $2 FOR NO KEY UPDATE";

    private const string SaveSnapshot = """
        INSERT INTO granary.producer_snapshots AS p (partition_id, as_of_offset, snapshot)
        SELECT partition_id, $3, $4 FROM granary.heads WHERE partition_id = $1 AND leader_epoch = $2
        ON CONFLICT (partition_id) DO UPDATE SET as_of_offset = excluded.as_of_offset, snapshot = excluded.snapshot
            WHERE p.as_of_offset <= excluded.as_of_offset
        """;

    private const string MarkDeleted = """
        INSERT INTO granary.heads AS h (topic_id, partition, leader_epoch, log_start_offset, next_offset, slab_id, segment_base, segment_bytes,
            segment_max_timestamp, segment_created_at, deleted_at)
        VALUES ($1, $2, 0, 0, 0, 0, 0, 0, -1, $3, $3)
        ON CONFLICT (topic_id, partition) DO UPDATE SET deleted_at = coalesce(h.deleted_at, $3), leader_epoch = h.leader_epoch + 1,
            slab_id = 0, segment_bytes = 0
        RETURNING partition_id
        """;

    private static readonly string[] _ofDeleted =
    [
        DeleteOf("granary.segments"), DeleteOf("granary.leader_epochs"), DeleteOf("granary.producer_snapshots"),
    ];

    public Task<AppendOutcome> ConfirmAsync(OwnedLog owner, CancellationToken cancellation) =>
        RunAsync(owner, "confirm the ownership", [LockHead], static _ => { }, cancellation);

    public Task<AppendOutcome> AdvanceLogStartAsync(OwnedLog owner, long logStartOffset, CancellationToken cancellation) => RunAsync(
        owner,
        "advance log start",
        [AdvanceHead, ForgetSegments, ForgetEpochs],
        command =>
        {
            if (command.CommandText == AdvanceHead)
                command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = logStartOffset });
        },
        cancellation);

    public Task<AppendOutcome> SaveProducersAsync(
        OwnedLog owner, long asOfOffset, ReadOnlyMemory<byte> snapshot, CancellationToken cancellation) => RunAsync(
        owner,
        "save producers",
        [LockHead, SaveSnapshot],
        command =>
        {
            if (command.CommandText != SaveSnapshot)
                return;
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = asOfOffset });
            command.Parameters.Add(new NpgsqlParameter { Value = snapshot, NpgsqlDbType = NpgsqlDbType.Bytea });
        },
        cancellation);

    /// <summary>Answers the number that stood for the partition.</summary>
    public Task<int> DeleteAsync(PartitionId partition, CancellationToken cancellation) => work.RunAsync(
        async (connection, limit) =>
        {
            await using var batch = new NpgsqlBatch(connection)
            {
                BatchCommands =
                {
                    new(MarkDeleted)
                    {
                        Parameters =
                        {
                            new() { Value = partition.TopicId }, new() { Value = partition.Index }, new() { Value = time.GetUtcNow().UtcDateTime },
                        },
                    },
                },
            };
            foreach (var sql in _ofDeleted)
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand(sql)
                {
                    Parameters = { new() { Value = partition.TopicId }, new() { Value = partition.Index } },
                });
            }

            return (int)(await batch.ExecuteScalarAsync(limit))!;
        },
        cancellation);

    private async Task<AppendOutcome> RunAsync(
        OwnedLog owner, string what, string[] statements, Action<NpgsqlBatchCommand> bind, CancellationToken cancellation)
    {
        if (owner.IsBroken)
            return AppendOutcome.NotWritten;
        try
        {
            var passed = await work.RunAsync(
                async (connection, limit) =>
                {
                    await using var batch = new NpgsqlBatch(connection);
                    foreach (var sql in statements)
                    {
                        var command = new NpgsqlBatchCommand(sql)
                        {
                            Parameters = { new() { Value = owner.Id }, new() { Value = owner.LeaderEpoch } },
                        };
                        bind(command);
                        batch.BatchCommands.Add(command);
                    }

                    await using var reader = await batch.ExecuteReaderAsync(limit);
                    var passedFence = await reader.ReadAsync(limit);
                    while (await reader.NextResultAsync(limit))
                    {
                        // To the end: an error of a later statement rolls the earlier ones back.
                    }

                    return passedFence;
                },
                cancellation);
            if (passed)
                return AppendOutcome.Committed;
            diagnostics.Fenced(owner.Partition, owner.LeaderEpoch);
            owner.Break();
            return AppendOutcome.Fenced;
        }
        catch (StoreUnavailableException failure)
        {
            owner.Break();
            diagnostics.WorkFailed(failure, owner.Partition, what);
            return FlushFailure.Classify(failure, commitWasSent: true) == FlushFailureKind.Unknown ? AppendOutcome.Unknown : AppendOutcome.NotWritten;
        }
    }

    private static string DeleteOf(string table) =>
        $"DELETE FROM {table} WHERE partition_id = (SELECT partition_id FROM granary.heads WHERE topic_id = $1 AND partition = $2)";
}

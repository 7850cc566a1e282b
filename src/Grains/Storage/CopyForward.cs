using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// Copies a closed slab's living segments into the family's current slab, one transaction each. Closed segments never change, so copying
/// and pointing to the copy is all; one that was deleted meanwhile is left. Readers find the old rows until the slab is dropped, and ask
/// for the segment's place again when it is gone.
/// </summary>
internal sealed class CopyForward(NpgsqlConnection connection, SlabDirectory slabs, StorageOptions options)
{
    // Idle partitions: their active segment would hold the slab for ever. A flush that comes later finds its head without a segment, and begins one.
    private const string CloseActive = """
        WITH idle AS (SELECT * FROM granary.heads WHERE slab_id = $1 ORDER BY partition_id FOR UPDATE),
        closed AS (
            INSERT INTO granary.segments (partition_id, base_offset, end_offset, slab_id, bytes, max_timestamp, created_at)
            SELECT partition_id, segment_base, next_offset, slab_id, segment_bytes, segment_max_timestamp, segment_created_at FROM idle)
        UPDATE granary.heads h SET slab_id = 0, segment_bytes = 0 FROM idle WHERE h.partition_id = idle.partition_id
        """;

    public int Segments { get; private set; }

    public long Bytes { get; private set; }

    public async Task EmptyAsync(int slabId, int family, CancellationToken cancellation)
    {
        await using (var close = new NpgsqlCommand(CloseActive, connection) { Parameters = { new() { Value = slabId } } })
            await close.ExecuteNonQueryAsync(cancellation);
        foreach (var segment in await LivingAsync(slabId, cancellation))
        {
            if (Bytes >= options.CopyForwardBytesPerRun)
                return;
            await CopyAsync(segment, slabId, await slabs.GetOpenAsync(family, cancellation), cancellation);
        }
    }

    private async Task CopyAsync(Living segment, int from, int to, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellation);
        await using var point = new NpgsqlCommand(
            "UPDATE granary.segments SET slab_id = $4 WHERE partition_id = $1 AND base_offset = $2 AND slab_id = $3", connection)
        {
            Parameters = { new() { Value = segment.PartitionId }, new() { Value = segment.BaseOffset }, new() { Value = from }, new() { Value = to } },
        };
        if (await point.ExecuteNonQueryAsync(cancellation) == 0)
            return;
        await using var copy = new NpgsqlCommand(
            $"""
            INSERT INTO {LogSchema.SlabTable(to)} ({CopyRows.Columns})
            SELECT {CopyRows.Columns} FROM {LogSchema.SlabTable(from)}
            WHERE partition_id = $1 AND base_offset >= $2 AND base_offset < $3 ORDER BY base_offset, chunk
            """,
            connection)
        {
            CommandTimeout = 0,
            Parameters = { new() { Value = segment.PartitionId }, new() { Value = segment.BaseOffset }, new() { Value = segment.EndOffset } },
        };
        await copy.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        Segments++;
        Bytes += segment.Bytes;
    }

    private async Task<List<Living>> LivingAsync(int slabId, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "SELECT partition_id, base_offset, end_offset, bytes FROM granary.segments WHERE slab_id = $1 ORDER BY partition_id, base_offset", connection)
        {
            Parameters = { new() { Value = slabId } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var living = new List<Living>();
        while (await reader.ReadAsync(cancellation))
            living.Add(new Living(reader.GetInt32(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3)));
        return living;
    }

    private readonly record struct Living(int PartitionId, long BaseOffset, long EndOffset, long Bytes);
}

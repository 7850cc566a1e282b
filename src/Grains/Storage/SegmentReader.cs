using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// Reads history by ranges: a few MB a query, across the borders of segments and slabs. On connections of its own, bounded in number, so that
/// it never takes PostgreSQL away from appends.
/// </summary>
internal sealed class SegmentReader(SessionPool sessions, StorageOptions options)
{
    private const int MinRowsPerQuery = 16;
    private const int MaxRowsPerQuery = 32_768;

    /// <summary>See <see cref="IPartitionStore.ReadAsync"/>.</summary>
    public Task<List<StoredBatch>> ReadAsync(OwnedLog owner, long fromOffset, long endOffset, int maxBytes, CancellationToken cancellation) =>
        fromOffset >= endOffset
            ? Task.FromResult(new List<StoredBatch>())
            : sessions.AskAsync((connection, limit) => ReadRangeAsync(connection, owner, fromOffset, endOffset, maxBytes, limit), cancellation);

    private async Task<List<StoredBatch>> ReadRangeAsync(
        NpgsqlConnection connection, OwnedLog owner, long fromOffset, long endOffset, int maxBytes, CancellationToken cancellation)
    {
        var into = new ReadProgress(fromOffset, endOffset, maxBytes);
        var afresh = false;
        while (!into.IsFull && into.Position < endOffset)
        {
            if (await SegmentMap.FindAsync(connection, owner, into.Position, afresh, cancellation) is not { } span || span.BaseOffset >= endOffset)
                break;
            // Retention took what lies between: the reader is to be told so, by the log start, when it asks for it.
            if (span.BaseOffset > into.Position && into.Batches.Count > 0)
                break;
            into.BeginAt(span.BaseOffset);
            var before = into.Position;
            try
            {
                await ReadSpanAsync(connection, owner, span, into, cancellation);
            }
            catch (PostgresException gone) when (gone.SqlState == PostgresErrorCodes.UndefinedTable && !afresh)
            {
                // Its segments were copied into another slab since the map was read.
                into.Assembly.Drop();
                owner.Forget(span);
                afresh = true;
                continue;
            }

            if (into.Gap is { } gap)
            {
                // Better no answer than one that leaves records out.
                if (afresh)
                    throw new InvalidDataException($"The batches of {owner.Partition} lack the offsets from {into.Position} to {gap} in slab {span.SlabId}.");
                into.ForgetGap();
                afresh = true;
                continue;
            }

            if (into.Position == before && !into.IsFull)
            {
                // A known span that holds nothing of what it should, or a fresh one: there is nothing.
                if (afresh)
                    break;
                afresh = true;
                continue;
            }

            afresh = false;
        }

        StorageMetrics.Read(into.Bytes);
        return into.Batches;
    }

    /// <summary>Reads one span until it ends or enough is there.</summary>
    private async Task ReadSpanAsync(
        NpgsqlConnection connection, OwnedLog owner, SegmentSpan span, ReadProgress into, CancellationToken cancellation)
    {
        var end = Math.Min(span.EndOffset, into.EndOffset);
        var from = Math.Max(into.Position, span.BaseOffset);
        var first = true;
        while (!into.IsFull)
        {
            var rows = RowsFor(owner, into);
            var (taken, bytes) = await QueryAsync(connection, owner.Id, span.SlabId, first ? from : null, end, rows, into, cancellation);
            if (taken > 0)
                owner.ReadRowBytes = (int)Math.Clamp(bytes / taken, 1, BatchChunks.MaxBytes);
            first = false;
            if (into.Gap is not null)
                return;
            if (taken == rows)
                continue;
            if (into.Assembly.IsOpen && !into.IsFull)
                throw new InvalidDataException($"The batch at {into.Assembly.BaseOffset} of {owner.Partition} lacks its end.");
            return;
        }
    }

    private int RowsFor(OwnedLog owner, ReadProgress into)
    {
        var wanted = Math.Min(into.MaxBytes - into.Bytes, options.ReadBlockBytes);
        // One more than fits, so that a batch that is cut by the limit shows that there is enough.
        return (int)Math.Clamp((wanted / owner.ReadRowBytes) + 2, MinRowsPerQuery, MaxRowsPerQuery);
    }

    private static async Task<(int Rows, long Bytes)> QueryAsync(
        NpgsqlConnection connection, int partitionId, int slabId, long? from, long end, int rows, ReadProgress into, CancellationToken cancellation)
    {
        var table = LogSchema.SlabTable(slabId);
        // The first query starts at the batch that contains the offset; a later one goes on after the last row.
        var start = from is null
            ? "(base_offset, chunk) > ($2, $5)"
            : $"""
              base_offset >= coalesce((SELECT base_offset FROM {table} WHERE partition_id = $1 AND base_offset <= $2
                  ORDER BY partition_id DESC, base_offset DESC LIMIT 1), $2)
              """;
        await using var command = new NpgsqlCommand(
            $"SELECT {BatchAssembly.Columns} FROM {table} WHERE partition_id = $1 AND {start} AND base_offset < $3 "
            + "ORDER BY partition_id, base_offset, chunk LIMIT $4",
            connection)
        {
            CommandTimeout = 0,
            Parameters =
            {
                new() { Value = partitionId }, new() { Value = from ?? into.Assembly.BaseOffset }, new() { Value = end }, new() { Value = rows },
            },
        };
        if (from is null)
            command.Parameters.Add(new NpgsqlParameter { Value = into.Assembly.Chunk });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var taken = 0;
        long bytes = 0;
        while (await reader.ReadAsync(cancellation))
        {
            taken++;
            var batch = into.Assembly.Add(reader);
            bytes += into.Assembly.RowBytes;
            if (batch is { } whole)
                into.Add(whole);
            if (into.Gap is not null)
                break;
        }

        return (taken, bytes);
    }

    /// <summary>What a read has so far. A batch beyond the maximum is dropped, unless it is the first; one that ends beyond the range always.</summary>
    private sealed class ReadProgress(long fromOffset, long endOffset, int maxBytes)
    {
        public List<StoredBatch> Batches { get; } = [];

        public BatchAssembly Assembly { get; } = new();

        public long Position { get; private set; } = fromOffset;

        public long EndOffset { get; } = endOffset;

        public int MaxBytes { get; } = maxBytes;

        public long Bytes { get; private set; }

        public bool IsFull { get; private set; }

        /// <summary>Where a batch begins that does not follow on the ones before: it was not taken.</summary>
        public long? Gap { get; private set; }

        /// <summary>Nothing lies below: the log begins there.</summary>
        public void BeginAt(long offset) => Position = Math.Max(Position, offset);

        public void ForgetGap()
        {
            Gap = null;
            Assembly.Drop();
        }

        public void Add(in StoredBatch batch)
        {
            if (IsFull || batch.EndOffset <= Position)
                return;
            if (batch.BaseOffset > Position)
            {
                Gap = batch.BaseOffset;
                return;
            }

            if (batch.EndOffset > EndOffset || (Batches.Count > 0 && Bytes + batch.Bytes.Length > MaxBytes))
            {
                IsFull = true;
                return;
            }

            Batches.Add(batch);
            Bytes += batch.Bytes.Length;
            Position = batch.EndOffset;
            IsFull = Bytes >= MaxBytes;
        }
    }
}

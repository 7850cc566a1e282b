using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>Reads the headers of a partition's newest batches, without their records: what an owner replays to know its producers.</summary>
internal sealed class HeaderReader(SessionPool sessions)
{
    /// <summary>Kafka's record batch header, magic 2.</summary>
    public const int HeaderBytes = 61;

    private const int MaxAttempts = 3;
    private const int HeadersPerArray = 512;

    /// <summary>
    /// Headers of all batches that end after the offset, in order. A batch shorter than a header comes as it is. Waits for a session as long as it takes:
    /// an opening that gave up here would raise the leader epoch again.
    /// </summary>
    public Task<IReadOnlyList<ReadOnlyMemory<byte>>> ReadAsync(int partitionId, long fromOffset, CancellationToken cancellation) =>
        sessions.AskAsync<IReadOnlyList<ReadOnlyMemory<byte>>>(
            async (connection, limit) =>
            {
                for (var attempt = 1; ; attempt++)
                {
                    try
                    {
                        return await ReadOnAsync(connection, partitionId, fromOffset, limit);
                    }
                    catch (PostgresException gone) when (gone.SqlState == PostgresErrorCodes.UndefinedTable && attempt < MaxAttempts)
                    {
                        // A segment was copied into another slab since the list was read.
                    }
                }
            },
            cancellation,
            patience: Timeout.InfiniteTimeSpan);

    private static async Task<List<ReadOnlyMemory<byte>>> ReadOnAsync(
        NpgsqlConnection connection, int partitionId, long fromOffset, CancellationToken cancellation)
    {
        var headers = new List<ReadOnlyMemory<byte>>();
        byte[] block = [];
        var used = 0;
        foreach (var (segment, slab) in await SegmentMap.ListAsync(connection, partitionId, cancellation))
        {
            if (segment.EndOffset <= fromOffset)
                continue;
            await using var command = new NpgsqlCommand(OpenStatements.Headers(slab, HeaderBytes), connection)
            {
                CommandTimeout = 0,
                Parameters =
                {
                    new() { Value = partitionId }, new() { Value = fromOffset }, new() { Value = segment.BaseOffset }, new() { Value = segment.EndOffset },
                },
            };
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                if (block.Length - used < HeaderBytes)
                    (block, used) = (new byte[HeaderBytes * (headers.Count == 0 ? 8 : HeadersPerArray)], 0);
                var length = (int)reader.GetBytes(0, 0, block, used, HeaderBytes);
                headers.Add(block.AsMemory(used, length));
                used += length;
            }
        }

        return headers;
    }
}

using Granary.Abstractions.Records;
using Microsoft.AspNetCore.Http;

namespace Granary.Gateway.Http;

/// <summary>Takes records out of batches, up to bounds. Pure.</summary>
internal static class FetchedRecords
{
    /// <summary>The least that a record costs beside its key, value and headers, and the least of a header.</summary>
    private const int RecordBytes = 7, HeaderBytes = 2;

    /// <summary>
    /// The records from an offset on, until there are so many of them or they have so many bytes once they are decompressed; a batch is decompressed when the one
    /// before it is taken. One that cannot be read is a refusal that says where to go on, as soon as it is the first.
    /// </summary>
    /// <param name="batches">Whole batches.</param>
    /// <param name="maxBytes">Of keys, values and headers; the first record comes in any case.</param>
    /// <returns>The records, the offset to go on at, and the records' bytes.</returns>
    public static (IReadOnlyList<Record> Records, long NextOffset, long Bytes) Take(ReadOnlyMemory<byte> batches, long offset, int limit, int maxBytes)
    {
        var records = new List<Record>();
        var (next, left) = (offset, (long)maxBytes);
        while (records.Count < limit && left > 0 && RecordBatchReader.TryTakeBatch(ref batches, out var bytes))
        {
            _ = RecordBatchHeader.TryRead(bytes.Span, out var header);
            try
            {
                var batch = new RecordBatchReader(bytes);
                while (!header.IsControl && batch.TryRead(out var record))
                {
                    if (record.Offset < offset)
                        continue;
                    if (records.Count == limit || left <= 0)
                        return (records, record.Offset, maxBytes - left);
                    records.Add(record);
                    next = record.Offset + 1;
                    left -= SizeOf(record);
                }
            }
            catch (InvalidRecordBatchException) when (records.Count > 0)
            {
                return (records, next, maxBytes - left);
            }
            catch (InvalidRecordBatchException broken)
            {
                throw new Problem(StatusCodes.Status500InternalServerError, $"The records at offset {Math.Max(offset, header.BaseOffset)} cannot be read: {broken.Message}. What comes after them begins at {header.EndOffset}.")
                {
                    Error = ErrorCode.CorruptMessage,
                    More = new Dictionary<string, object?> { ["nextOffset"] = header.EndOffset },
                };
            }

            next = Math.Max(next, header.EndOffset);
        }

        return (records, next, maxBytes - left);
    }

    private static long SizeOf(in Record record)
    {
        long size = RecordBytes + (record.Key?.Length ?? 0) + (record.Value?.Length ?? 0);
        foreach (var header in record.Headers)
            size += HeaderBytes + header.Key.Length + (header.Value?.Length ?? 0);
        return size;
    }
}

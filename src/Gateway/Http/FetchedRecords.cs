using System.Runtime.InteropServices;
using Granary.Abstractions.Records;
using Microsoft.AspNetCore.Http;

namespace Granary.Gateway.Http;

/// <summary>
/// Takes records out of batches, up to bounds, for an answer whose reader may be slow. Records are slices of what was read, or of its decompressed copy; where
/// they are little of that they are copied out, so that a few records do not keep megabytes. Pure.
/// </summary>
internal sealed class FetchedRecords
{
    private readonly long _offset;
    private readonly int _limit;
    private readonly List<Record> _records = [];
    private readonly List<(int From, int To)> _asTheyLie = [];
    private long _left;
    private long _next;
    private long _kept;

    private FetchedRecords(long offset, int limit, int maxBytes) => (_offset, _next, _limit, _left) = (offset, offset, limit, maxBytes);

    private bool IsFull => _records.Count == _limit || _left <= 0;

    /// <summary>
    /// The records from an offset on, until there are so many of them or they have so many bytes once they are decompressed; a batch is decompressed when the one
    /// before it is taken. One that cannot be read is a refusal that says where to go on, as soon as it is the first.
    /// </summary>
    /// <param name="batches">Whole batches.</param>
    /// <param name="maxBytes">Of memory that the records take; the first record comes in any case.</param>
    /// <returns>The records, the offset to go on at, and the bytes of memory that are kept for the records.</returns>
    public static (IReadOnlyList<Record> Records, long NextOffset, long KeptBytes) Take(ReadOnlyMemory<byte> batches, long offset, int limit, int maxBytes)
    {
        var taken = new FetchedRecords(offset, limit, maxBytes);
        var rest = batches;
        while (!taken.IsFull && RecordBatchReader.TryTakeBatch(ref rest, out var bytes))
        {
            _ = RecordBatchHeader.TryRead(bytes.Span, out var header);
            try
            {
                taken.Add(new RecordBatchReader(bytes));
            }
            catch (InvalidRecordBatchException) when (taken._records.Count > 0)
            {
                break;
            }
            catch (InvalidRecordBatchException broken)
            {
                throw new Problem(StatusCodes.Status500InternalServerError, $"The records at offset {Math.Max(offset, header.BaseOffset)} cannot be read: {broken.Message}. What comes after them begins at {header.EndOffset}.")
                {
                    Error = ErrorCode.CorruptMessage,
                    More = new Dictionary<string, object?> { ["nextOffset"] = header.EndOffset },
                };
            }
        }

        taken.Keep(taken._asTheyLie, batches.Length);
        return (taken._records, taken._next, taken._kept);
    }

    private void Add(RecordBatchReader batch)
    {
        var first = _records.Count;
        try
        {
            while (!batch.Header.IsControl && batch.TryRead(out var record))
            {
                if (record.Offset < _offset)
                    continue;
                _next = record.Offset;
                if (IsFull)
                    return;
                _records.Add(record);
                _next = record.Offset + 1;
                _left -= record.MemoryBytes;
            }

            _next = Math.Max(_next, batch.Header.EndOffset);
        }
        finally
        {
            if (batch.DecompressedBytes == 0)
                _asTheyLie.Add((first, _records.Count));
            else
                Keep([(first, _records.Count)], batch.DecompressedBytes);
        }
    }

    /// <summary>Decides whether records go on as slices of the array that they lie in, all of which they keep.</summary>
    private void Keep(List<(int From, int To)> ranges, int arrayBytes)
    {
        long bytes = 0;
        foreach (var (from, to) in ranges)
        {
            foreach (ref readonly var record in CollectionsMarshal.AsSpan(_records)[from..to])
                bytes += record.MemoryBytes;
        }

        if (bytes >= arrayBytes / 2)
        {
            // None of an array that nobody has a record of.
            _kept += bytes == 0 ? 0 : Math.Max(bytes, arrayBytes);
            return;
        }

        foreach (var (from, to) in ranges)
        {
            foreach (ref var record in CollectionsMarshal.AsSpan(_records)[from..to])
                record = record.Detach();
        }

        _kept += bytes;
    }
}

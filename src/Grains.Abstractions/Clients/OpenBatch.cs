using Granary.Abstractions.Records;

namespace Granary.Abstractions.Clients;

/// <summary>
/// The records of one batch, one after another, for a reader that may be slow. A batch that is large once it is decompressed is not kept until its last record is
/// given: a part of its records is copied out and the rest let go, to be decompressed again for the next part.
/// </summary>
internal sealed class OpenBatch
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly RecordReadOptions _options;
    private readonly long _maxKeptBytes;
    private readonly RecordBatchReader? _whole;
    private readonly Queue<Record>? _part;
    private readonly long _fromOffset;
    private RecordPlace _next;
    private bool _isAtEnd;

    /// <param name="bytes">One batch.</param>
    /// <param name="fromOffset">The first offset that is wanted; records before it are not given.</param>
    /// <param name="options">Limits of reading.</param>
    /// <param name="maxKeptBytes">What is kept decompressed between two records, about; one record may be larger.</param>
    /// <exception cref="InvalidRecordBatchException">It cannot be read.</exception>
    public OpenBatch(ReadOnlyMemory<byte> bytes, long fromOffset, RecordReadOptions options, long maxKeptBytes)
    {
        (_bytes, _fromOffset, _options, _maxKeptBytes) = (bytes, fromOffset, options, maxKeptBytes);
        var reader = new RecordBatchReader(bytes, options);
        Header = reader.Header;
        if (reader.DecompressedBytes <= maxKeptBytes || Header.IsControl)
        {
            _whole = reader;
            return;
        }

        // Its bytes are known to be right when it is opened again.
        _options = options with { CheckCrc = false };
        _part = new Queue<Record>();
        TakePart(reader, _part);
    }

    public RecordBatchHeader Header { get; }

    /// <summary>The next record; false after the last one.</summary>
    /// <exception cref="InvalidRecordBatchException">It cannot be read; those before it were given.</exception>
    public bool TryRead(out Record record)
    {
        if (_part is null)
            return TryReadWanted(_whole!, out record);
        if (_part.Count == 0 && !_isAtEnd)
            TakePart(new RecordBatchReader(_bytes, _options) { Place = _next }, _part);
        return _part.TryDequeue(out record);
    }

    private void TakePart(RecordBatchReader reader, Queue<Record> part)
    {
        try
        {
            for (var left = _maxKeptBytes; left > 0;)
            {
                if (!TryReadWanted(reader, out var record))
                {
                    _isAtEnd = true;
                    return;
                }

                _next = reader.Place;
                left -= record.MemoryBytes;
                part.Enqueue(record.Detach());
            }
        }
        catch (InvalidRecordBatchException) when (part.Count > 0)
        {
            // Met again, and told, by who asks for what comes next.
        }
    }

    private bool TryReadWanted(RecordBatchReader reader, out Record record)
    {
        while (reader.TryRead(out record))
        {
            if (record.Offset >= _fromOffset)
                return true;
        }

        return false;
    }
}

using System.Text;

namespace Granary.Abstractions.Records;

/// <summary>
/// One record of a log. Key and value may be null, which is not the same as empty; their memory belongs to the batch that was read and
/// stays valid as long as it is referenced.
/// </summary>
public readonly record struct Record
{
    /// <summary>About what a record, or one header, takes in memory beside its key, name and value.</summary>
    private const int OwnBytes = 80, HeaderBytes = 64;

    private readonly IReadOnlyList<RecordHeader>? _headers;

    /// <summary>Its place in the partition.</summary>
    public long Offset { get; init; }

    /// <summary>Milliseconds since 1970, or -1: its creator's time, or the append time where the topic stamps that.</summary>
    public long Timestamp { get; init; }

    public ReadOnlyMemory<byte>? Key { get; init; }

    public ReadOnlyMemory<byte>? Value { get; init; }

    /// <summary>In the order in which they were written; a key may repeat. Never null.</summary>
    public IReadOnlyList<RecordHeader> Headers
    {
        get => _headers ?? [];
        init => _headers = value;
    }

    /// <summary>The key as UTF-8 text; null where there is none.</summary>
    public string? KeyText => Key is { } key ? Encoding.UTF8.GetString(key.Span) : null;

    /// <summary>The value as UTF-8 text; null where there is none.</summary>
    public string? ValueText => Value is { } value ? Encoding.UTF8.GetString(value.Span) : null;

    /// <summary>About how many bytes of memory it takes by itself, key, value and headers included; not what else of its batch it keeps.</summary>
    public long MemoryBytes
    {
        get
        {
            var bytes = OwnBytes + ContentBytes;
            foreach (var header in Headers)
                bytes += HeaderBytes + (2L * header.Key.Length);
            return bytes;
        }
    }

    private long ContentBytes
    {
        get
        {
            long bytes = (Key?.Length ?? 0) + (Value?.Length ?? 0);
            foreach (var header in Headers)
                bytes += header.Value?.Length ?? 0;
            return bytes;
        }
    }

    /// <summary>The same record with its bytes in memory of their own: it keeps nothing else of its batch.</summary>
    public Record Detach()
    {
        var rest = new byte[ContentBytes].AsMemory();
        return this with
        {
            Key = Move(Key, ref rest),
            Value = Move(Value, ref rest),
            Headers = Headers.Count == 0 ? [] : MoveHeaders(ref rest),
        };
    }

    private RecordHeader[] MoveHeaders(ref Memory<byte> room)
    {
        var moved = new RecordHeader[Headers.Count];
        for (var i = 0; i < moved.Length; i++)
            moved[i] = new RecordHeader(Headers[i].Key, Move(Headers[i].Value, ref room));
        return moved;
    }

    private static ReadOnlyMemory<byte>? Move(ReadOnlyMemory<byte>? bytes, ref Memory<byte> room)
    {
        if (bytes is not { } from)
            return null;
        from.CopyTo(room);
        var to = room[..from.Length];
        room = room[from.Length..];
        return to;
    }
}

/// <summary>A named value beside a record's own; the value may be null.</summary>
public readonly record struct RecordHeader(string Key, ReadOnlyMemory<byte>? Value);

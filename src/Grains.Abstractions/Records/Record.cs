using System.Text;

namespace Granary.Abstractions.Records;

/// <summary>
/// One record of a log. Key and value may be null, which is not the same as empty; their memory belongs to the batch that was read and
/// stays valid as long as it is referenced.
/// </summary>
public readonly record struct Record
{
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
}

/// <summary>A named value beside a record's own; the value may be null.</summary>
public readonly record struct RecordHeader(string Key, ReadOnlyMemory<byte>? Value);

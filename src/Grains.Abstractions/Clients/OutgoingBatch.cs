using Granary.Abstractions.Records;

namespace Granary.Abstractions.Clients;

/// <summary>
/// A batch on its way from the first record to the log's answer. <see cref="PartitionOutbox"/> owns <see cref="State"/> and all below it.
/// </summary>
internal sealed class OutgoingBatch(CompressionCodec codec, int expectedBytes)
{
    private readonly List<PendingSend> _sends = [];
    private readonly RecordBatchWriter _writer = new(codec, expectedBytes);

    public enum Stage : byte
    {
        /// <summary>Never sent; has no sequence.</summary>
        Queued,

        /// <summary>A call with it is under way.</summary>
        InFlight,

        /// <summary>A call failed; it waits to be sent again.</summary>
        Retrying,
    }

    public required TimeSpan CreatedAt { get; init; }

    /// <summary>When it is given up (client's clock).</summary>
    public required TimeSpan Deadline { get; init; }

    public IReadOnlyList<PendingSend> Sends => _sends;

    public int RecordCount => _sends.Count;

    /// <summary>What its records take of the buffer memory.</summary>
    public long ReservedBytes { get; private set; }

    /// <summary>Size before compression.</summary>
    public int UncompressedBytes => _writer.UncompressedBytes;

    public Stage State { get; set; }

    /// <summary>Its place among the partition's batches; does not change with sequences.</summary>
    public long Ordinal { get; set; }

    public int BaseSequence { get; set; }

    /// <summary>Calls so far.</summary>
    public int Attempts { get; set; }

    public TimeSpan RetryAt { get; set; }

    /// <summary>Whether a call with it ended without a clear answer: that call may still take effect, now or later.</summary>
    public bool IsFateUnknown { get; set; }

    /// <summary>Whether all batches before it had their answers when it was sent last.</summary>
    public bool WasSentFirst { get; set; }

    /// <summary>How many batches that were sent after it, under the same producer epoch, have been delivered while it waits for its answer.</summary>
    public int DeliveredAfter { get; set; }

    public void Add(PendingSend send)
    {
        var record = send.Record;
        _writer.Append(record.Timestamp, record.Key, record.Value, record.Headers);
        send.DropContent();
        _sends.Add(send);
        ReservedBytes += send.ReservedBytes;
    }

    /// <summary>The bytes to send, as a new array each time: the log keeps and changes what it is given.</summary>
    public byte[] Encode(in ProducerStamp stamp) => _writer.Build(stamp);
}

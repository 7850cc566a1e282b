using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;

namespace Granary.Gateway.Kafka.Apis;

/// <summary>One partition's batch of one Produce request. Legal course: made; checked; refused, or sent; answered.</summary>
internal sealed class PartitionAppend(string topic, int index, RecordBytes? records)
{
    private const short FirstVersionWithZstd = 7;

    private static readonly AppendResult s_unanswered = AppendResult.Refused(ErrorCode.UnknownServerError);

    private bool _mayHaveOvertaken;

    public string Topic { get; } = topic;

    public int Index { get; } = index;

    /// <summary>Null until it is found.</summary>
    public PartitionReference? Partition { get; set; }

    /// <summary>The grain's call; null where none was made.</summary>
    public Task<AppendResult>? Sent { get; private set; }

    public AppendResult Result { get; private set; } = s_unanswered;

    /// <summary>True: refused here, there is nothing to send.</summary>
    public bool IsAnswered => !ReferenceEquals(Result, s_unanswered);

    public bool IsReadyToSend => IsAnswered || Partition is { IsSettled: true };

    public void Refuse(ErrorCode error, string message)
    {
        if (!IsAnswered)
            Result = AppendResult.Refused(error, message);
    }

    /// <summary>Refuses what no log takes: anything but exactly one good batch of magic 2.</summary>
    public void Check(short version)
    {
        if (records is null || records.IsEmpty)
        {
            Refuse(ErrorCode.InvalidRecord, "there is no record batch");
            return;
        }

        var verdict = RecordBatchCheck.Check(records.Pieces[0].Span);
        if (!verdict.IsAccepted)
            Refuse(verdict.Error, verdict.Message!);
        else if (verdict.Header.Compression == CompressionCodec.Zstd && version < FirstVersionWithZstd)
            Refuse(ErrorCode.UnsupportedCompressionType, $"zstd needs Produce version {FirstVersionWithZstd}, this is {version}");
        else if (verdict.Header.IsTransactional)
            Refuse(ErrorCode.InvalidTxnState, $"the batch of producer {verdict.Header.ProducerId} is transactional: transactions are not supported yet");
    }

    /// <summary>Gives the batch to its partition; does nothing where it is refused.</summary>
    public void Send()
    {
        if (IsAnswered)
            return;
        _mayHaveOvertaken = Partition!.BeginAppend();
        try
        {
            Sent = Partition.Grain.AppendAsync(new AppendRequest(records!));
        }
        catch (Exception failure)
        {
            // A call that fails at once fails its own append alone.
            Sent = Task.FromException<AppendResult>(failure);
        }
    }

    /// <summary>Reads the call's outcome. One not yet over has taken too long: what becomes of the batch is not known.</summary>
    public void TakeAnswer(ClusterView cluster, PartitionFailures failures, TimeProvider time, int timeoutMs)
    {
        if (Sent is not { } sent)
            return;
        var partition = Partition!;
        if (!sent.IsCompleted)
        {
            partition.IsSettled = false;
            partition.NoteRefusal(time);
            _ = EndLateAsync(partition, sent);
            Result = AppendResult.Refused(ErrorCode.RequestTimedOut, $"the append did not finish in {timeoutMs} ms (timeout.ms)");
            return;
        }

        partition.EndAppend();
        if (sent.IsCompletedSuccessfully)
        {
            Result = sent.Result;
            cluster.Learn(partition.Id, Result.LeaderEpoch);
            if (Result.Error == ErrorCode.OutOfOrderSequenceNumber)
                Result = _mayHaveOvertaken || partition.AwaitsOneAgain(time) ? Overtaken(Result) : Result;
            else if (Result.Error != ErrorCode.None)
                partition.NoteRefusal(time);
            partition.IsSettled = Result.Error != ErrorCode.NotLeaderOrFollower;
        }
        else
        {
            // The batch may be on disk. Of the codes that say so (librdkafka: "possibly persisted") this is the one that every client sends again; none makes
            // it ask for metadata as well, NETWORK_EXCEPTION is final for librdkafka, and NOT_LEADER_OR_FOLLOWER would say that nothing was written. Who does
            // not lead any more says so when the batch comes again.
            partition.IsSettled = false;
            partition.NoteRefusal(time);
            Result = AppendResult.Refused(
                failures.ToErrorCode(partition.Id, sent.Exception!.GetBaseException(), ErrorCode.RequestTimedOut), "the partition does not answer: nobody can tell whether the batch was written");
        }
    }

    /// <summary>
    /// While a partition moves, calls that were sent to it one after another may arrive in another order, and the later one's sequence then
    /// seems to leave a gap. So does that of a batch which was on its way behind one that was refused while the partition was opened: it finds the log
    /// open. A client takes the code for a gap for a loss; librdkafka raises its producer's epoch, and sends under it all that it has no answer
    /// for, in other partitions too, where it may lie on disk and is not known for the same any more. It has to be told that this batch was not
    /// written and is to be sent again. A gap that is its own doing is told when it comes again alone, a while after the last refusal.
    /// </summary>
    private static AppendResult Overtaken(AppendResult answer) => AppendResult.Refused(
        ErrorCode.NotLeaderOrFollower, "the batch arrived before one that was sent earlier: send it again", answer.LeaderEpoch, answer.LogStartOffset);

    private static async Task EndLateAsync(PartitionReference partition, Task<AppendResult> sent)
    {
        await ((Task)sent).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        partition.EndAppend();
    }
}

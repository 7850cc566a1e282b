using Granary.Abstractions.Records;

namespace Granary.Gateway.Kafka.Wire;

internal sealed class FetchResponse
{
    public const short ApiKey = 1;
    public const short LowestVersion = 4;
    public const short HighestVersion = 17;

    public int ThrottleTimeMs { get; set; }

    public short ErrorCode { get; set; }

    public int SessionId { get; set; }

    public List<FetchableTopicResponse> Responses { get; set; } = [];

    public List<NodeEndpoint> NodeEndpoints { get; set; } = [];

    public static bool IsFlexible(short version) => version >= 12;

    public static FetchResponse Read(ref WireReader reader, short version)
    {
        var isFlexible = version >= 12;
        var message = new FetchResponse();
        if (version >= 1)
        {
            message.ThrottleTimeMs = reader.ReadInt32();
        }

        if (version >= 7)
        {
            message.ErrorCode = reader.ReadInt16();
        }

        if (version >= 7)
        {
            message.SessionId = reader.ReadInt32();
        }

        var responses = reader.ReadCount(isFlexible);
        for (var i = 0; i < responses; i++)
            message.Responses.Add(FetchableTopicResponse.Read(ref reader, version));
        for (var tags = reader.ReadTagCount(isFlexible); tags > 0; tags--)
        {
            switch (reader.ReadTag(out var field))
            {
                case 0:
                {
                    var nodeendpoints = field.ReadCount(isFlexible);
                    for (var i = 0; i < nodeendpoints; i++)
                        message.NodeEndpoints.Add(NodeEndpoint.Read(ref field, version));
                    break;
                }

            }
        }

        return message;
    }

    public void Write(WireWriter writer, short version)
    {
        var isFlexible = version >= 12;
        if (version >= 1)
        {
            writer.WriteInt32(ThrottleTimeMs);
        }

        if (version >= 7)
        {
            writer.WriteInt16(ErrorCode);
        }

        if (version >= 7)
        {
            writer.WriteInt32(SessionId);
        }

        writer.WriteCount(Responses.Count, isFlexible);
        foreach (var item in Responses)
            item.Write(writer, version);
        if (!isFlexible)
            return;
        uint tags = 0;
        if (version >= 16 && NodeEndpoints.Count > 0)
            tags++;
        writer.WriteUnsignedVarint(tags);
        if (version >= 16 && NodeEndpoints.Count > 0)
        {
            using var field = new WireWriter();
            field.WriteCount(NodeEndpoints.Count, isFlexible);
            foreach (var item in NodeEndpoints)
                item.Write(field, version);
            writer.WriteTag(0, field);
        }

    }

    internal sealed class FetchableTopicResponse
    {
        public string Topic { get; set; } = "";

        public Guid TopicId { get; set; }

        public List<PartitionData> Partitions { get; set; } = [];

        public static FetchableTopicResponse Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 12;
            var message = new FetchableTopicResponse();
            if (version <= 12)
            {
                message.Topic = reader.ReadString(isFlexible);
            }

            if (version >= 13)
            {
                message.TopicId = reader.ReadUuid();
            }

            var partitions = reader.ReadCount(isFlexible);
            for (var i = 0; i < partitions; i++)
                message.Partitions.Add(PartitionData.Read(ref reader, version));
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 12;
            if (version <= 12)
            {
                writer.WriteString(Topic, isFlexible);
            }

            if (version >= 13)
            {
                writer.WriteUuid(TopicId);
            }

            writer.WriteCount(Partitions.Count, isFlexible);
            foreach (var item in Partitions)
                item.Write(writer, version);
            writer.WriteNoTags(isFlexible);
        }
    }

    internal sealed class PartitionData
    {
        public int PartitionIndex { get; set; }

        public short ErrorCode { get; set; }

        public long HighWatermark { get; set; }

        public long LastStableOffset { get; set; } = -1;

        public long LogStartOffset { get; set; } = -1;

        public EpochEndOffset DivergingEpoch { get; set; } = new();

        public LeaderIdAndEpoch CurrentLeader { get; set; } = new();

        public SnapshotIdData SnapshotId { get; set; } = new();

        public List<AbortedTransaction>? AbortedTransactions { get; set; } = [];

        public int PreferredReadReplica { get; set; } = -1;

        public RecordBytes? Records { get; set; }

        public static PartitionData Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 12;
            var message = new PartitionData();
            message.PartitionIndex = reader.ReadInt32();
            message.ErrorCode = reader.ReadInt16();
            message.HighWatermark = reader.ReadInt64();
            if (version >= 4)
            {
                message.LastStableOffset = reader.ReadInt64();
            }

            if (version >= 5)
            {
                message.LogStartOffset = reader.ReadInt64();
            }

            if (version >= 4)
            {
                var abortedtransactions = reader.ReadCount(isFlexible);
                if (abortedtransactions < 0)
                    message.AbortedTransactions = null;
                for (var i = 0; i < abortedtransactions; i++)
                    message.AbortedTransactions!.Add(AbortedTransaction.Read(ref reader, version));
            }

            if (version >= 11)
            {
                message.PreferredReadReplica = reader.ReadInt32();
            }

            message.Records = reader.ReadRecords(isFlexible);
            for (var tags = reader.ReadTagCount(isFlexible); tags > 0; tags--)
            {
                switch (reader.ReadTag(out var field))
                {
                    case 0:
                    {
                        message.DivergingEpoch = EpochEndOffset.Read(ref field, version);
                        break;
                    }

                    case 1:
                    {
                        message.CurrentLeader = LeaderIdAndEpoch.Read(ref field, version);
                        break;
                    }

                    case 2:
                    {
                        message.SnapshotId = SnapshotIdData.Read(ref field, version);
                        break;
                    }

                }
            }

            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 12;
            writer.WriteInt32(PartitionIndex);
            writer.WriteInt16(ErrorCode);
            writer.WriteInt64(HighWatermark);
            if (version >= 4)
            {
                writer.WriteInt64(LastStableOffset);
            }

            if (version >= 5)
            {
                writer.WriteInt64(LogStartOffset);
            }

            if (version >= 4)
            {
                writer.WriteCount(AbortedTransactions?.Count ?? -1, isFlexible);
                foreach (var item in AbortedTransactions ?? [])
                    item.Write(writer, version);
            }

            if (version >= 11)
            {
                writer.WriteInt32(PreferredReadReplica);
            }

            writer.WriteRecords(Records, isFlexible);
            if (!isFlexible)
                return;
            uint tags = 0;
            if (version >= 12 && !DivergingEpoch.IsDefault)
                tags++;
            if (version >= 12 && !CurrentLeader.IsDefault)
                tags++;
            if (version >= 12 && !SnapshotId.IsDefault)
                tags++;
            writer.WriteUnsignedVarint(tags);
            if (version >= 12 && !DivergingEpoch.IsDefault)
            {
                using var field = new WireWriter();
                DivergingEpoch.Write(field, version);
                writer.WriteTag(0, field);
            }

            if (version >= 12 && !CurrentLeader.IsDefault)
            {
                using var field = new WireWriter();
                CurrentLeader.Write(field, version);
                writer.WriteTag(1, field);
            }

            if (version >= 12 && !SnapshotId.IsDefault)
            {
                using var field = new WireWriter();
                SnapshotId.Write(field, version);
                writer.WriteTag(2, field);
            }

        }
    }

    internal sealed class EpochEndOffset
    {
        public int Epoch { get; set; } = -1;

        public long EndOffset { get; set; } = -1;

        public bool IsDefault => !(Epoch != -1 || EndOffset != -1);

        public static EpochEndOffset Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 12;
            var message = new EpochEndOffset();
            if (version >= 12)
            {
                message.Epoch = reader.ReadInt32();
            }

            if (version >= 12)
            {
                message.EndOffset = reader.ReadInt64();
            }

            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 12;
            if (version >= 12)
            {
                writer.WriteInt32(Epoch);
            }

            if (version >= 12)
            {
                writer.WriteInt64(EndOffset);
            }

            writer.WriteNoTags(isFlexible);
        }
    }

    internal sealed class LeaderIdAndEpoch
    {
        public int LeaderId { get; set; } = -1;

        public int LeaderEpoch { get; set; } = -1;

        public bool IsDefault => !(LeaderId != -1 || LeaderEpoch != -1);

        public static LeaderIdAndEpoch Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 12;
            var message = new LeaderIdAndEpoch();
            message.LeaderId = reader.ReadInt32();
            message.LeaderEpoch = reader.ReadInt32();
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 12;
            writer.WriteInt32(LeaderId);
            writer.WriteInt32(LeaderEpoch);
            writer.WriteNoTags(isFlexible);
        }
    }

    internal sealed class SnapshotIdData
    {
        public long EndOffset { get; set; } = -1;

        public int Epoch { get; set; } = -1;

        public bool IsDefault => !(EndOffset != -1 || Epoch != -1);

        public static SnapshotIdData Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 12;
            var message = new SnapshotIdData();
            message.EndOffset = reader.ReadInt64();
            message.Epoch = reader.ReadInt32();
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 12;
            writer.WriteInt64(EndOffset);
            writer.WriteInt32(Epoch);
            writer.WriteNoTags(isFlexible);
        }
    }

    internal sealed class AbortedTransaction
    {
        public long ProducerId { get; set; }

        public long FirstOffset { get; set; }

        public bool IsDefault => !(ProducerId != 0 || FirstOffset != 0);

        public static AbortedTransaction Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 12;
            var message = new AbortedTransaction();
            message.ProducerId = reader.ReadInt64();
            message.FirstOffset = reader.ReadInt64();
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 12;
            writer.WriteInt64(ProducerId);
            writer.WriteInt64(FirstOffset);
            writer.WriteNoTags(isFlexible);
        }
    }

    internal sealed class NodeEndpoint
    {
        public int NodeId { get; set; }

        public string Host { get; set; } = "";

        public int Port { get; set; }

        public string? Rack { get; set; }

        public bool IsDefault => !(NodeId != 0 || Host.Length > 0 || Port != 0 || Rack is not null);

        public static NodeEndpoint Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 12;
            var message = new NodeEndpoint();
            message.NodeId = reader.ReadInt32();
            message.Host = reader.ReadString(isFlexible);
            message.Port = reader.ReadInt32();
            message.Rack = reader.ReadNullableString(isFlexible);
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 12;
            writer.WriteInt32(NodeId);
            writer.WriteString(Host, isFlexible);
            writer.WriteInt32(Port);
            writer.WriteString(Rack, isFlexible);
            writer.WriteNoTags(isFlexible);
        }
    }
}

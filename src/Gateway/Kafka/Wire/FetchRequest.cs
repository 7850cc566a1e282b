using Granary.Abstractions.Records;

namespace Granary.Gateway.Kafka.Wire;

internal sealed class FetchRequest
{
    public const short ApiKey = 1;
    public const short LowestVersion = 4;
    public const short HighestVersion = 17;

    public string? ClusterId { get; set; }

    public int ReplicaId { get; set; } = -1;

    public ReplicaStateData ReplicaState { get; set; } = new();

    public int MaxWaitMs { get; set; }

    public int MinBytes { get; set; }

    public int MaxBytes { get; set; } = 0x7fffffff;

    public sbyte IsolationLevel { get; set; }

    public int SessionId { get; set; }

    public int SessionEpoch { get; set; } = -1;

    public List<FetchTopic> Topics { get; set; } = [];

    public List<ForgottenTopic> ForgottenTopicsData { get; set; } = [];

    public string RackId { get; set; } = "";

    public static bool IsFlexible(short version) => version >= 12;

    public static FetchRequest Read(ref WireReader reader, short version)
    {
        var isFlexible = version >= 12;
        var message = new FetchRequest();
        if (version <= 14)
        {
            message.ReplicaId = reader.ReadInt32();
        }

        message.MaxWaitMs = reader.ReadInt32();
        message.MinBytes = reader.ReadInt32();
        if (version >= 3)
        {
            message.MaxBytes = reader.ReadInt32();
        }

        if (version >= 4)
        {
            message.IsolationLevel = reader.ReadInt8();
        }

        if (version >= 7)
        {
            message.SessionId = reader.ReadInt32();
        }

        if (version >= 7)
        {
            message.SessionEpoch = reader.ReadInt32();
        }

        var topics = reader.ReadCount(isFlexible);
        for (var i = 0; i < topics; i++)
            message.Topics.Add(FetchTopic.Read(ref reader, version));
        if (version >= 7)
        {
            var forgottentopicsdata = reader.ReadCount(isFlexible);
            for (var i = 0; i < forgottentopicsdata; i++)
                message.ForgottenTopicsData.Add(ForgottenTopic.Read(ref reader, version));
        }

        if (version >= 11)
        {
            message.RackId = reader.ReadString(isFlexible);
        }

        for (var tags = reader.ReadTagCount(isFlexible); tags > 0; tags--)
        {
            switch (reader.ReadTag(out var field))
            {
                case 0:
                {
                    message.ClusterId = field.ReadNullableString(isFlexible);
                    break;
                }

                case 1:
                {
                    message.ReplicaState = ReplicaStateData.Read(ref field, version);
                    break;
                }

            }
        }

        return message;
    }

    public void Write(WireWriter writer, short version)
    {
        var isFlexible = version >= 12;
        if (version <= 14)
        {
            writer.WriteInt32(ReplicaId);
        }

        writer.WriteInt32(MaxWaitMs);
        writer.WriteInt32(MinBytes);
        if (version >= 3)
        {
            writer.WriteInt32(MaxBytes);
        }

        if (version >= 4)
        {
            writer.WriteInt8(IsolationLevel);
        }

        if (version >= 7)
        {
            writer.WriteInt32(SessionId);
        }

        if (version >= 7)
        {
            writer.WriteInt32(SessionEpoch);
        }

        writer.WriteCount(Topics.Count, isFlexible);
        foreach (var item in Topics)
            item.Write(writer, version);
        if (version >= 7)
        {
            writer.WriteCount(ForgottenTopicsData.Count, isFlexible);
            foreach (var item in ForgottenTopicsData)
                item.Write(writer, version);
        }

        if (version >= 11)
        {
            writer.WriteString(RackId, isFlexible);
        }

        if (!isFlexible)
            return;
        uint tags = 0;
        if (version >= 12 && ClusterId is not null)
            tags++;
        if (version >= 15 && !ReplicaState.IsDefault)
            tags++;
        writer.WriteUnsignedVarint(tags);
        if (version >= 12 && ClusterId is not null)
        {
            using var field = new WireWriter();
            field.WriteString(ClusterId, isFlexible);
            writer.WriteTag(0, field);
        }

        if (version >= 15 && !ReplicaState.IsDefault)
        {
            using var field = new WireWriter();
            ReplicaState.Write(field, version);
            writer.WriteTag(1, field);
        }

    }

    internal sealed class ReplicaStateData
    {
        public int ReplicaId { get; set; } = -1;

        public long ReplicaEpoch { get; set; } = -1;

        public bool IsDefault => !(ReplicaId != -1 || ReplicaEpoch != -1);

        public static ReplicaStateData Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 12;
            var message = new ReplicaStateData();
            message.ReplicaId = reader.ReadInt32();
            message.ReplicaEpoch = reader.ReadInt64();
            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 12;
            writer.WriteInt32(ReplicaId);
            writer.WriteInt64(ReplicaEpoch);
            writer.WriteNoTags(isFlexible);
        }
    }

    internal sealed class FetchTopic
    {
        public string Topic { get; set; } = "";

        public Guid TopicId { get; set; }

        public List<FetchPartition> Partitions { get; set; } = [];

        public static FetchTopic Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 12;
            var message = new FetchTopic();
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
                message.Partitions.Add(FetchPartition.Read(ref reader, version));
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

    internal sealed class FetchPartition
    {
        public int Partition { get; set; }

        public int CurrentLeaderEpoch { get; set; } = -1;

        public long FetchOffset { get; set; }

        public int LastFetchedEpoch { get; set; } = -1;

        public long LogStartOffset { get; set; } = -1;

        public int PartitionMaxBytes { get; set; }

        public Guid ReplicaDirectoryId { get; set; }

        public bool IsDefault => !(Partition != 0 || CurrentLeaderEpoch != -1 || FetchOffset != 0 || LastFetchedEpoch != -1 || LogStartOffset != -1 || PartitionMaxBytes != 0 || ReplicaDirectoryId != Guid.Empty);

        public static FetchPartition Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 12;
            var message = new FetchPartition();
            message.Partition = reader.ReadInt32();
            if (version >= 9)
            {
                message.CurrentLeaderEpoch = reader.ReadInt32();
            }

            message.FetchOffset = reader.ReadInt64();
            if (version >= 12)
            {
                message.LastFetchedEpoch = reader.ReadInt32();
            }

            if (version >= 5)
            {
                message.LogStartOffset = reader.ReadInt64();
            }

            message.PartitionMaxBytes = reader.ReadInt32();
            for (var tags = reader.ReadTagCount(isFlexible); tags > 0; tags--)
            {
                switch (reader.ReadTag(out var field))
                {
                    case 0:
                    {
                        message.ReplicaDirectoryId = field.ReadUuid();
                        break;
                    }

                }
            }

            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 12;
            writer.WriteInt32(Partition);
            if (version >= 9)
            {
                writer.WriteInt32(CurrentLeaderEpoch);
            }

            writer.WriteInt64(FetchOffset);
            if (version >= 12)
            {
                writer.WriteInt32(LastFetchedEpoch);
            }

            if (version >= 5)
            {
                writer.WriteInt64(LogStartOffset);
            }

            writer.WriteInt32(PartitionMaxBytes);
            if (!isFlexible)
                return;
            uint tags = 0;
            if (version >= 17 && ReplicaDirectoryId != Guid.Empty)
                tags++;
            writer.WriteUnsignedVarint(tags);
            if (version >= 17 && ReplicaDirectoryId != Guid.Empty)
            {
                using var field = new WireWriter();
                field.WriteUuid(ReplicaDirectoryId);
                writer.WriteTag(0, field);
            }

        }
    }

    internal sealed class ForgottenTopic
    {
        public string Topic { get; set; } = "";

        public Guid TopicId { get; set; }

        public List<int> Partitions { get; set; } = [];

        public static ForgottenTopic Read(ref WireReader reader, short version)
        {
            var isFlexible = version >= 12;
            var message = new ForgottenTopic();
            if (version >= 7 && version <= 12)
            {
                message.Topic = reader.ReadString(isFlexible);
            }

            if (version >= 13)
            {
                message.TopicId = reader.ReadUuid();
            }

            if (version >= 7)
            {
                var partitions = reader.ReadCount(isFlexible);
                for (var i = 0; i < partitions; i++)
                    message.Partitions.Add(reader.ReadInt32());
            }

            reader.SkipTags(isFlexible);
            return message;
        }

        public void Write(WireWriter writer, short version)
        {
            var isFlexible = version >= 12;
            if (version >= 7 && version <= 12)
            {
                writer.WriteString(Topic, isFlexible);
            }

            if (version >= 13)
            {
                writer.WriteUuid(TopicId);
            }

            if (version >= 7)
            {
                writer.WriteCount(Partitions.Count, isFlexible);
                foreach (var item in Partitions)
                    writer.WriteInt32(item);
            }

            writer.WriteNoTags(isFlexible);
        }
    }
}
